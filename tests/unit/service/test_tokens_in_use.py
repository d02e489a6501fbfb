"""Validate, me and logout as a client sees them, and what they cost."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import select, text, update

from service.clock import ManualClock
from service.database.engine import Database
from service.database.tables import audit_logs, sessions, user_roles
from service.settings import Settings
from service.tokens.opaque import fingerprint, new_token
from tests.harness import PASSWORD, Api, bearer, new_email, problem, running


async def test_validate_answers_what_the_token_stands_for(api: Api) -> None:
    user = (await api.signup("ada@example.com")).json()
    token = (await api.login("ada@example.com")).json()["access_token"]
    answer = await api.get("validate", token)
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"user_id", "tenant", "session_id", "permissions", "expires_at"}
    assert (body["user_id"], body["tenant"], body["permissions"]) == (user["id"], "default", [])
    assert datetime.fromisoformat(body["expires_at"]).tzinfo is not None


async def test_me_answers_roles_and_permissions(api: Api) -> None:
    user = (await api.signup("ada@example.com")).json()
    async with _database(api).writing(None) as connection:
        await connection.execute(update(user_roles).values(role_name="auditor"))
    token = (await api.login("ada@example.com")).json()["access_token"]
    body = (await api.get("me", token)).json()
    permissions = ["audit:read", "metrics:read", "users:read"]
    assert body == {**user, "roles": ["auditor"], "permissions": permissions}
    assert (await api.get("validate", token)).json()["permissions"] == permissions


@pytest.mark.parametrize("name", ["validate", "me"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic YTpi"}, bearer("x"), bearer("A" * 43)],
    ids=["none", "empty", "basic", "malformed", "unknown"],
)
async def test_without_a_valid_token_there_is_no_answer(api: Api, name: str, headers: dict[str, str]) -> None:
    answer = await api.client.get(f"/api/v1/auth/{name}", headers=headers)
    problem(answer, 401, "invalid-token")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_malformed_token_is_not_looked_up(api: Api) -> None:
    assert (await api.get("validate", "x" * 42 + "!")).headers["x-db-queries"] == "0"
    assert api.metric("janua_cache_requests_total", tier="memory", kind="validation", result="miss") == 0


async def test_logout_ends_the_session(api: Api) -> None:
    token = await api.new_token()
    other = await api.new_token()
    answer = await api.logout(token)
    assert (answer.status_code, answer.content) == (204, b"")
    for name in ("validate", "me"):
        problem(await api.get(name, token), 401, "invalid-token")
        assert (await api.get(name, other)).status_code == 200
    problem(await api.logout(token), 401, "invalid-token")


@pytest.mark.parametrize("warm", [True, False])
async def test_an_expired_token_is_refused(settings: Settings, warm: bool) -> None:
    clock = ManualClock()
    # Entries that outlive the session must not be believed for longer than it.
    brief = settings.model_copy(update={"access_token_seconds": 60})
    async with running(brief, clock=clock) as api:
        token = await api.new_token()
        if not warm:
            await api.app.state.cache.drop_token(fingerprint(token))
        clock.advance(59)
        assert (await api.get("validate", token)).status_code == 200
        assert (await api.get("me", token)).status_code == 200
        clock.advance(1)
        problem(await api.get("validate", token), 401, "invalid-token")
        problem(await api.get("me", token), 401, "invalid-token")
        problem(await api.logout(token), 401, "invalid-token")


async def test_queries_stay_within_the_budget(api: Api) -> None:
    """On SQLite, which writes session and audit row in two statements; PostgreSQL's figures are lower."""
    email = new_email()
    signup = await api.signup(email)
    login = await api.login(email)
    token = login.json()["access_token"]
    warm = [await api.get("validate", token), await api.get("me", token)]
    await api.app.state.cache.drop_token(fingerprint(token))
    cold = [await api.get("me", token)]
    await api.app.state.cache.drop_token(fingerprint(token))
    cold.append(await api.get("validate", token))
    answers = [signup, login, *warm, *cold, await api.logout(token)]
    assert [answer.headers["x-db-queries"] for answer in answers] == ["3", "3", "0", "0", "1", "1", "2"]
    assert api.metric("janua_db_queries_total", path="/api/v1/auth/me") == 1


async def test_who_asked_the_cache_while_others_learned_that_a_token_is_unknown_does_not_look_for_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, cache = new_token(), api.app.state.cache
    has_asked, go_on = asyncio.Event(), asyncio.Event()
    fetch = cache.fetch_validation

    async def slow_fetch(token_hash: str) -> object:
        found = await fetch(token_hash)
        has_asked.set()
        await go_on.wait()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(cache, "fetch_validation", slow_fetch)
        slow = asyncio.create_task(api.get("validate", token))
        await has_asked.wait()
    answers = [await api.get("validate", token)]
    go_on.set()
    answers.append(await slow)
    for answer in answers:
        problem(answer, 401, "invalid-token")
    assert [answer.headers["x-db-queries"] for answer in answers] == ["1", "0"]


async def test_every_event_leaves_one_audit_row(api: Api) -> None:
    user = (await api.signup("ada@example.com")).json()
    login = await api.login("ada@example.com")
    await api.login("ada@example.com", "a wrong password")
    await api.login("nobody@example.com")
    await api.logout(login.json()["access_token"])
    await api.logout(login.json()["access_token"])  # refused: nothing happened
    await api.signup("ada@example.com")  # refused, rolled back
    columns = audit_logs.c.event_type, audit_logs.c.user_id, audit_logs.c.details, audit_logs.c.request_id
    async with _database(api).reading() as connection:
        rows = (await connection.execute(select(*columns).order_by(audit_logs.c.id))).all()
    assert [(row.event_type, str(row.user_id), row.details) for row in rows] == [
        ("signup", user["id"], {}),
        ("login_success", user["id"], {}),
        ("login_failure", user["id"], {"reason": "wrong_password"}),
        ("login_failure", "None", {"reason": "unknown_user"}),
        ("logout", user["id"], {}),
    ]
    assert rows[1].request_id == login.headers["x-request-id"]
    for event, expected in (("signup", 1), ("login_success", 1), ("login_failure", 2), ("logout", 1)):
        assert api.metric("janua_audit_rows_total", event_type=event) == expected


async def test_only_hashes_of_tokens_are_stored(api: Api) -> None:
    email = new_email()
    await api.signup(email)
    session = (await api.login(email)).json()
    await api.get("me", session["access_token"])
    async with _database(api).reading() as connection:
        row = (await connection.execute(select(sessions))).one()
    assert row.token == fingerprint(session["access_token"])
    assert row.refresh_token == fingerprint(session["refresh_token"])
    async with _database(api).reading() as connection:
        names = (await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars()
        dump = [str((await connection.execute(text(f"SELECT * FROM {name}"))).all()) for name in names]  # noqa: S608
    for secret in (session["access_token"], session["refresh_token"], PASSWORD):
        assert secret not in "".join(dump)


def _database(api: Api) -> Database:
    database: Database = api.app.state.database
    return database
