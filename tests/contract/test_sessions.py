"""The contract of sessions: refreshing, listing and ending them."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.clock import ManualClock
from service.settings import Settings
from tests.harness import Api, Person, problem, running

GRACE = 5


async def refresh(api: Api, refresh_token: str, **headers: str) -> httpx.Response:
    body = {"refresh_token": refresh_token}
    return await api.client.post("/api/v1/auth/refresh", json=body, headers=headers)


async def is_valid(api: Api, token: str) -> bool:
    return (await api.get("validate", token)).status_code == 200


async def events(api: Api) -> list[str]:
    return [row.event_type for row in await api.audit_rows()]


async def test_a_refresh_replaces_both_tokens(api: Api) -> None:
    person = await api.new_person()
    answer = await refresh(api, person.session["refresh_token"])
    assert answer.status_code == 200
    pair = answer.json()
    assert pair.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 3600)
    assert pair["access_token"] != person.token
    assert pair["refresh_token"] != person.session["refresh_token"]
    assert await is_valid(api, pair["access_token"])
    assert not await is_valid(api, person.token)
    # It is the same session still.
    before = (await api.audit_rows())[-2:]
    assert [row.event_type for row in before] == ["login_success", "token_refreshed"]
    assert (await refresh(api, pair["refresh_token"])).status_code == 200


@pytest.mark.parametrize("token", ["x", "A" * 43, "ä" * 43, "A" * 200])
async def test_an_unknown_refresh_token_is_refused(api: Api, token: str) -> None:
    problem(await refresh(api, token), 401, "invalid-refresh-token")


@pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"refresh_token": "A" * 201}, {"x": 1}, []])
async def test_a_malformed_refresh_is_refused(api: Api, body: Any) -> None:
    problem(await api.client.post("/api/v1/auth/refresh", json=body), 422, "invalid-request")


async def test_an_access_token_does_not_refresh_and_a_refresh_token_gives_no_access(api: Api) -> None:
    person = await api.new_person()
    problem(await refresh(api, person.token), 401, "invalid-refresh-token")
    problem(await api.get("validate", person.session["refresh_token"]), 401, "invalid-token")
    assert await is_valid(api, person.token)


async def test_a_refresh_token_belongs_to_its_tenant(api: Api) -> None:
    slug = await api.new_tenant()
    person = await api.new_person(tenant=slug)
    problem(
        await refresh(api, person.session["refresh_token"], **{"X-Tenant": "default"}), 401, "invalid-refresh-token"
    )
    assert (await refresh(api, person.session["refresh_token"], **{"X-Tenant": slug})).status_code == 200


async def test_a_lost_answer_is_given_again(settings: Settings) -> None:
    clock = ManualClock()
    async with running(settings, clock=clock) as api:
        person = await api.new_person()
        first = await refresh(api, person.session["refresh_token"])
        clock.advance(GRACE)
        again = await refresh(api, person.session["refresh_token"])
        assert (first.status_code, again.status_code) == (200, 200)
        assert {**again.json(), "expires_in": 3600} == first.json()
        assert again.json()["expires_in"] == 3600 - GRACE
        assert await is_valid(api, first.json()["access_token"])


async def test_reuse_after_the_grace_ends_the_session(settings: Settings) -> None:
    clock = ManualClock()
    async with running(settings, clock=clock) as api:
        person = await api.new_person()
        pair = (await refresh(api, person.session["refresh_token"])).json()
        clock.advance(GRACE + 0.001)
        problem(await refresh(api, person.session["refresh_token"]), 401, "invalid-refresh-token")
        assert not await is_valid(api, pair["access_token"])
        problem(await refresh(api, pair["refresh_token"]), 401, "invalid-refresh-token")
        assert (await events(api))[-2:] == ["token_refreshed", "refresh_reused"]


async def test_reuse_of_an_older_token_ends_the_session_at_once(api: Api) -> None:
    """Who presents the successor has the answer: the grace is over."""
    person = await api.new_person()
    tokens = [person.session["refresh_token"]]
    for _ in range(3):
        pair = (await refresh(api, tokens[-1])).json()
        tokens.append(pair["refresh_token"])
    problem(await refresh(api, tokens[0]), 401, "invalid-refresh-token")
    assert not await is_valid(api, pair["access_token"])
    for token in tokens:
        problem(await refresh(api, token), 401, "invalid-refresh-token")
    assert (await events(api)).count("refresh_reused") == 1


async def test_the_grace_can_be_turned_off(settings: Settings) -> None:
    clock = ManualClock()
    strict = settings.model_copy(update={"refresh_grace_seconds": 0})
    async with running(strict, clock=clock) as api:
        person = await api.new_person()
        pair = (await refresh(api, person.session["refresh_token"])).json()
        clock.advance(0.001)
        problem(await refresh(api, person.session["refresh_token"]), 401, "invalid-refresh-token")
        assert not await is_valid(api, pair["access_token"])


async def test_an_answer_is_repeated_while_the_signing_secret_is_replaced(settings: Settings, tmp_path: Path) -> None:
    """Two replicas have the lines of the secret in different orders."""
    files = [tmp_path / "before", tmp_path / "after"]
    for file, lines in zip(files, ("one\ntwo\n", "two\none\n"), strict=True):
        file.write_text(lines)
    before, after = (settings.model_copy(update={"signing_secret_file": file}) for file in files)
    async with running(before) as first, running(after) as second:
        person = await first.new_person()
        answer = await refresh(first, person.session["refresh_token"])
        again = await refresh(second, person.session["refresh_token"])
        assert again.status_code == 200
        assert again.json()["refresh_token"] == answer.json()["refresh_token"]
        assert (await refresh(second, answer.json()["refresh_token"])).status_code == 200


async def test_fifty_refreshes_at_once_leave_one_live_chain(settings: Settings) -> None:
    # A busy machine may take longer for all of them than the grace lasts.
    lenient = settings.model_copy(update={"refresh_grace_seconds": 60})
    async with running(lenient) as api:
        person = await api.new_person()
        answers = await asyncio.gather(*(refresh(api, person.session["refresh_token"]) for _ in range(50)))
        given = {(pair["access_token"], pair["refresh_token"]) for pair in (answer.json() for answer in answers)}
        assert {answer.status_code for answer in answers} == {200}
        [(access, successor)] = given
        assert await is_valid(api, access)
        assert (await refresh(api, successor)).status_code == 200
        rows = [row.details for row in await api.audit_rows() if row.event_type == "token_refreshed"]
    assert rows.count({}) == 2  # the one exchange, and that of its successor
    assert len(rows) == 51


async def test_lifetimes_slide_until_the_session_s_end(settings: Settings) -> None:
    clock = ManualClock()
    brief = settings.model_copy(
        update={"access_token_seconds": 100, "refresh_token_seconds": 300, "session_seconds": 500}
    )
    async with running(brief, clock=clock) as api:
        person = await api.new_person()
        opened = clock.now()
        token, lifetimes = person.session["refresh_token"], []
        for _ in range(2):
            clock.advance(225)
            pair = (await refresh(api, token)).json()
            token = pair["refresh_token"]
            lifetimes.append(pair["expires_in"])
        # 450 s after the login the access token would live until 550.
        assert lifetimes == [100, 50]
        answer = (await api.get("validate", pair["access_token"])).json()
        assert datetime.fromisoformat(answer["expires_at"]) == opened + timedelta(seconds=500)
        clock.advance(50)
        problem(await api.get("validate", pair["access_token"]), 401, "invalid-token")
        problem(await refresh(api, token), 401, "invalid-refresh-token")


async def test_an_idle_session_ends(settings: Settings) -> None:
    clock = ManualClock()
    async with running(settings, clock=clock) as api:
        person = await api.new_person()
        clock.advance(settings.refresh_token_seconds)
        problem(await refresh(api, person.session["refresh_token"]), 401, "invalid-refresh-token")


async def test_sessions_are_listed_page_by_page(api: Api) -> None:
    person = await api.new_person()
    for _ in range(4):
        await api.login(person.user["email"])
    stranger = await api.new_person()
    pages: list[list[dict[str, Any]]] = []
    cursor: str | None = None
    while cursor is not None or not pages:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await person.call("GET", "/auth/sessions", params=parameters)).json()
        pages.append(page["items"])
        cursor = page["next_cursor"]
    items = [item for page in pages for item in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({item["id"] for item in items}) == 5
    assert [item["created_at"] for item in items] == sorted((i["created_at"] for i in items), reverse=True)
    assert [item["current"] for item in items] == [False, False, False, False, True]
    assert items[0].keys() == {"id", "created_at", "expires_at", "refresh_expires_at", "user_agent", "current"}
    assert items[0]["user_agent"].startswith("python-httpx")
    assert len((await stranger.call("GET", "/auth/sessions")).json()["items"]) == 1


@pytest.mark.parametrize(
    "parameters", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "x"}, {"cursor": "!"}, {"cursor": "AAAA"}]
)
async def test_a_malformed_page_is_refused(api: Api, parameters: dict[str, Any]) -> None:
    person = await api.new_person()
    problem(await person.call("GET", "/auth/sessions", params=parameters), 422, "invalid-request")


async def test_one_session_is_ended_by_its_id(api: Api) -> None:
    person = await api.new_person()
    other = Person(api, person.user, (await api.login(person.user["email"])).json())
    [newest, _] = (await person.call("GET", "/auth/sessions")).json()["items"]
    assert (await person.call("DELETE", f"/auth/sessions/{newest['id']}")).status_code == 204
    problem(await other.call("GET", "/auth/validate"), 401, "invalid-token")
    problem(await refresh(api, other.session["refresh_token"]), 401, "invalid-refresh-token")
    assert await is_valid(api, person.token)
    problem(await person.call("DELETE", f"/auth/sessions/{newest['id']}"), 404, "not-found")
    assert (await events(api))[-1] == "session_ended"
    assert len((await person.call("GET", "/auth/sessions")).json()["items"]) == 1


async def test_nobody_ends_a_session_of_somebody_else(api: Api) -> None:
    person, admin = await api.new_person(), await api.new_person("platform-admin")
    foreign = await api.new_person(tenant=await api.new_tenant())
    [session] = (await person.call("GET", "/auth/sessions")).json()["items"]
    for other in (admin, foreign):
        problem(await other.call("DELETE", f"/auth/sessions/{session['id']}"), 404, "not-found")
    problem(await person.call("DELETE", "/auth/sessions/x"), 422, "invalid-request")
    assert await is_valid(api, person.token)


async def test_logout_all_ends_every_session(api: Api) -> None:
    person, stranger = await api.new_person(), await api.new_person()
    others = [(await api.login(person.user["email"])).json() for _ in range(3)]
    assert (await person.call("POST", "/auth/logout-all")).status_code == 204
    for session in (person.session, *others):
        assert not await is_valid(api, session["access_token"])
        problem(await refresh(api, session["refresh_token"]), 401, "invalid-refresh-token")
    assert await is_valid(api, stranger.token)
    problem(await person.call("POST", "/auth/logout-all"), 401, "invalid-token")
    assert (await events(api)).count("logout_all") == 1


async def test_a_logged_out_session_cannot_be_refreshed(api: Api) -> None:
    person = await api.new_person()
    await person.call("POST", "/auth/logout")
    problem(await refresh(api, person.session["refresh_token"]), 401, "invalid-refresh-token")
    problem(await person.call("GET", "/auth/sessions"), 401, "invalid-token")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/logout"),
        ("POST", "/auth/logout-all"),
        ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions/0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012"),
        ("POST", "/auth/password"),
    ],
)
async def test_without_a_token_there_is_no_answer(api: Api, method: str, path: str) -> None:
    answer = await api.client.request(method, f"/api/v1{path}", json={} if path.endswith("password") else None)
    problem(answer, 401, "invalid-token")
