"""The contract of introspection (RFC 7662): who may ask, and what is told of which token."""

from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, insert

from service.clock import ManualClock
from service.database.engine import sync_url
from service.database.tables import role_permissions, roles
from service.settings import Settings
from service.tokens.opaque import fingerprint
from tests.harness import Api, Person, SharedStore, bearer, problem, running
from tests.logs import Log

PATH = "/auth/introspect"
INACTIVE = {"active": False}


async def post(asking: Person, content_type: str, content: bytes) -> httpx.Response:
    """Ask with a body that no client would make of a form."""
    headers = {"Content-Type": content_type, **bearer(asking.token)}
    return await asking.api.client.post(f"/api/v1{PATH}", content=content, headers=headers)


async def introspect(asking: Person, token: str, **others: str) -> dict[str, Any]:
    answer = await asking.call("POST", PATH, data={"token": token, **others})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


@pytest.fixture
async def platform(api: Api) -> Person:
    return await api.new_person(role="platform-admin")


@pytest.fixture
def resource_server(settings: Settings) -> str:
    """A role that may introspect and nothing else; only the owner of the tables can make one."""
    url = sync_url(settings)
    if url.get_backend_name() == "postgresql":
        url = url.set(username="janua")
    name = "resource-server"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(roles).values(name=name, description="Asks about tokens"))
        connection.execute(insert(role_permissions).values(role_name=name, permission_name="tokens:introspect"))
    engine.dispose()
    return name


async def test_an_active_token_is_described(api: Api, platform: Person) -> None:
    person = await api.new_person(role="auditor")
    session = (await person.call("GET", "/auth/validate")).json()
    assert await introspect(platform, person.token) == {
        "active": True,
        "sub": person.user["id"],
        "tenant": "default",
        "sid": session["session_id"],
        "scope": "audit:read metrics:read users:read",
        "username": person.user["email"],
        "token_type": "bearer",
        "iss": "janua",
        "exp": int(datetime.fromisoformat(session["expires_at"]).timestamp()),
    }


async def test_a_member_s_token_has_an_empty_scope(api: Api, platform: Person) -> None:
    said = await introspect(platform, (await api.new_person()).token)
    assert (said["active"], said["scope"]) == (True, "")


async def test_one_may_ask_about_one_s_own_token(platform: Person) -> None:
    assert (await introspect(platform, platform.token))["sub"] == platform.user["id"]


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "something else", ""])
async def test_the_hint_has_no_effect(api: Api, platform: Person, hint: str) -> None:
    person = await api.new_person()
    assert (await introspect(platform, person.token, token_type_hint=hint))["active"] is True
    assert await introspect(platform, "A" * 43, token_type_hint=hint) == INACTIVE


@pytest.mark.parametrize(
    "token",
    ["A" * 43, "x", " ", "\0", "é" * 43, "\N{GRINNING FACE}", "a.b.c", "A" * 60_000, "A" * 43 + "\n", "%ED%A0%80"],
    ids=["unknown", "short", "space", "nul", "umlauts", "emoji", "jwt-like", "long", "newline", "escaped"],
)
async def test_what_is_no_token_of_ours_is_inactive(platform: Person, token: str) -> None:
    assert await introspect(platform, token) == INACTIVE


async def test_bytes_that_are_no_text_are_inactive(platform: Person) -> None:
    for content in (b"token=%ff%fe", b"token=\xff\xfe", b"token=%ED%A0%80", b"token=%"):
        answer = await post(platform, "application/x-www-form-urlencoded", content)
        assert (answer.status_code, answer.json()) == (200, INACTIVE)


async def test_only_access_tokens_are_known(api: Api, platform: Person) -> None:
    person = await api.new_person()
    signed = (await person.call("POST", "/auth/jwt")).json()["token"]
    assert await introspect(platform, person.session["refresh_token"]) == INACTIVE
    assert await introspect(platform, signed) == INACTIVE


async def test_a_token_that_was_revoked_is_inactive_at_once(api: Api, platform: Person) -> None:
    left, refreshed = await api.new_person(), await api.new_person()
    assert [(await introspect(platform, person.token))["active"] for person in (left, refreshed)] == [True, True]
    assert (await left.call("POST", "/auth/logout")).status_code == 204
    body = {"refresh_token": refreshed.session["refresh_token"]}
    pair = (await api.client.post("/api/v1/auth/refresh", json=body)).json()
    assert await introspect(platform, left.token) == INACTIVE
    assert await introspect(platform, refreshed.token) == INACTIVE
    assert (await introspect(platform, pair["access_token"]))["sub"] == refreshed.user["id"]


async def test_an_expired_token_is_inactive(settings: Settings) -> None:
    clock = ManualClock()
    async with running(settings, clock=clock) as api:
        person = await api.new_person()
        clock.advance(10)
        platform = await api.new_person(role="platform-admin")
        clock.advance(settings.access_token_seconds - 11)
        assert (await introspect(platform, person.token))["exp"] == clock.now().timestamp() + 1
        clock.advance(1)
        assert await introspect(platform, person.token) == INACTIVE


async def test_a_token_of_another_tenant_is_inactive_except_for_the_platform(
    api: Api, platform: Person, resource_server: str
) -> None:
    here, elsewhere = await api.new_tenant(), await api.new_tenant()
    asking = await api.new_person(role=resource_server, tenant=here)
    own, foreign = await api.new_person(tenant=here), await api.new_person(tenant=elsewhere)
    assert (await introspect(asking, own.token))["tenant"] == here
    assert await introspect(asking, foreign.token) == INACTIVE
    assert await introspect(asking, platform.token) == INACTIVE
    assert (await introspect(platform, foreign.token))["tenant"] == elsewhere
    # Whose question loaded the token makes no difference.
    assert await introspect(asking, foreign.token) == INACTIVE


@pytest.mark.parametrize("role", [None, "auditor", "tenant-admin"])
async def test_it_needs_the_permission(api: Api, role: str | None) -> None:
    person = await api.new_person(role=role)
    document = problem(await person.call("POST", PATH, data={"token": person.token}), 403, "forbidden")
    assert document["permission"] == "tokens:introspect"


async def test_it_needs_a_token(api: Api) -> None:
    for data in ({"token": "A" * 43}, {"nonsense": "x"}, {}):
        problem(await api.client.post(f"/api/v1{PATH}", data=data), 401, "invalid-token")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "token"),
        ({"token": ""}, "token"),
        ({"token_type_hint": "access_token"}, "token"),
        ({"token": "A" * 43, "client_id": "x"}, "client_id"),
        ({"token": "A" * 43, "Token": "x"}, "Token"),
    ],
)
async def test_a_form_that_is_wrong_is_refused(platform: Person, data: dict[str, str], field: str) -> None:
    document = problem(await platform.call("POST", PATH, data=data), 422, "invalid-request")
    assert field in {error["field"] for error in document["errors"]}


@pytest.mark.parametrize(
    ("content_type", "content", "status"),
    [
        ("application/json", b'{"token": "x"}', 422),
        ("text/plain", b"token=x", 422),
        ("nonsense", b"token=x", 422),
        ("multipart/form-data", b"token=x", 400),
        ("multipart/form-data; boundary=x", b"--y\r\n", 400),
        ("application/x-www-form-urlencoded; charset=nonsense", b"", 422),
    ],
)
async def test_another_kind_of_body_is_refused(
    platform: Person, content_type: str, content: bytes, status: int
) -> None:
    answer = await post(platform, content_type, content)
    problem(answer, status, "invalid-request" if status == 422 else "bad-request")


async def test_a_file_is_no_token(platform: Person) -> None:
    answer = await platform.call("POST", PATH, files={"token": ("name", b"A" * 43)})
    problem(answer, 422, "invalid-request")


async def test_it_costs_one_query_at_most(api: Api, platform: Person) -> None:
    person = await api.new_person()

    async def ask() -> httpx.Response:
        return await platform.call("POST", PATH, data={"token": person.token})

    assert (await ask()).headers["x-db-queries"] == "0"
    await api.app.state.cache.drop_token(fingerprint(person.token))
    await api.app.state.cache.invalidate_user(person.user["id"], person.user["email"])
    cold, warm = await ask(), await ask()
    assert [answer.headers["x-db-queries"] for answer in (cold, warm)] == ["1", "0"]
    assert cold.json() == warm.json()
    assert cold.json()["username"] == person.user["email"]


async def test_without_a_cache_only_the_name_is_missing(sqlite_settings: Settings) -> None:
    clock = ManualClock()
    store = SharedStore(clock).view()
    async with running(sqlite_settings, clock=clock, store=store) as api:
        platform = await api.new_person(role="platform-admin")
        person = await api.new_person()
        complete = await introspect(platform, person.token)
        store.down = True
        said = await introspect(platform, person.token)
        assert complete == {**said, "username": person.user["email"]}
        assert "username" not in said


async def test_no_token_stands_in_a_log(api: Api, platform: Person, log: Log) -> None:
    person = await api.new_person()
    await introspect(platform, person.token)
    await platform.call("POST", PATH, data={"token": person.token, person.token: "x"})
    await person.call("POST", PATH, data={"token": person.token})
    text = await log.read()
    assert text.count("/api/v1/auth/introspect") == 3
    assert not [token for token in (person.token, platform.token) if token in text]
