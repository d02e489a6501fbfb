"""The service as it is deployed: PostgreSQL through the role that owns nothing, Redis in front."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest

from service.tokens.opaque import fingerprint
from tests.harness import PASSWORD, Api, new_email, problem, running
from tests.servers import Database, Redis

pytestmark = pytest.mark.integration


@pytest.fixture
async def api(migrated: Database, redis: Redis) -> AsyncIterator[Api]:
    async with running(migrated.settings(**redis.settings)) as started:
        yield started


async def test_the_whole_flow(api: Api) -> None:
    user = (await api.signup("Ada@Example.com")).json()
    problem(await api.signup("ada@example.COM"), 409, "email-taken")
    problem(await api.signup(new_email(), tenant="nowhere"), 404, "unknown-tenant")
    problem(await api.login("ada@example.com", "wrong password"), 401, "invalid-credentials")
    problem(await api.login(new_email()), 401, "invalid-credentials")
    session = (await api.login("ada@example.com")).json()
    token = session["access_token"]
    assert session["user"] == user
    assert (await api.get("me", token)).json() == {**user, "roles": ["member"], "permissions": []}
    assert (await api.get("validate", token)).json()["user_id"] == user["id"]
    assert (await api.logout(token)).status_code == 204
    for name in ("validate", "me"):
        problem(await api.get(name, token), 401, "invalid-token")
    assert (await api.client.get("/readyz")).json()["status"] == "ready"
    assert api.metric("janua_redis_up") == 1


async def test_queries_stay_within_the_budget(api: Api) -> None:
    email = new_email()
    signup, login = await api.signup(email), await api.login(email)
    failures = [await api.login(email, "wrong password"), await api.login(new_email())]
    taken = await api.signup(email)
    token = login.json()["access_token"]
    warm = [await api.get("validate", token), await api.get("me", token)]
    await api.app.state.cache.drop_token(fingerprint(token))
    cold = [await api.get("me", token)]
    await api.app.state.cache.drop_token(fingerprint(token))
    cold.append(await api.get("validate", token))
    logout = await api.logout(token)
    spent = {
        "signup": _queries(signup),
        "login": _queries(login),
        "failed logins": [*map(_queries, failures)],
        "refused signup": _queries(taken),
        "warm": [*map(_queries, warm)],
        "cold": [*map(_queries, cold)],
        "logout": _queries(logout),
    }
    assert spent == {
        "signup": 1,
        "login": 2,
        "failed logins": [2, 2],
        "refused signup": 1,
        "warm": [0, 0],
        "cold": [1, 1],
        "logout": 1,
    }


async def test_audit_rows_are_written_with_what_they_tell_of(api: Api, migrated: Database) -> None:
    email = new_email()
    user = (await api.signup(email)).json()
    token = (await api.login(email)).json()["access_token"]
    await api.login(email, "wrong password")
    await api.signup(email)
    await api.signup(new_email(), tenant="nowhere")
    answers = await asyncio.gather(*(api.logout(token) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [204, 401, 401, 401, 401]
    with migrated.connect() as connection:
        rows = connection.execute("SELECT event_type, user_id::text FROM audit_logs ORDER BY id").fetchall()
        leftovers = connection.execute("SELECT count(*) FROM user_roles").fetchone()
    events = ["signup", "login_success", "login_failure", "logout"]
    assert rows == [(event, user["id"]) for event in events]
    assert leftovers == (1,)


async def test_no_secret_is_stored(api: Api, migrated: Database, redis: Redis) -> None:
    email = new_email()
    await api.signup(email)
    session = (await api.login(email)).json()
    await api.get("me", session["access_token"])
    entries = str(redis.entries())
    rows = migrated.server.dump(migrated.name, "--data-only")
    assert email in entries
    assert email in rows
    for secret in (session["access_token"], session["refresh_token"], PASSWORD):
        assert secret not in entries + rows


async def test_every_key_in_redis_expires(api: Api, redis: Redis) -> None:
    token = await api.new_token()
    await api.get("me", token)
    entries = redis.entries()
    assert len(entries) == 5
    for key, (_, milliseconds) in entries.items():
        limit = 300_000 if key.startswith(("token:", "session:")) else 900_000
        assert 0 < milliseconds <= limit, key


def test_the_application_s_role_owns_nothing(migrated: Database) -> None:
    with migrated.connect("janua_app") as connection:
        for statement in ("DROP TABLE users", "CREATE TABLE mine (id int)", "TRUNCATE audit_logs"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


async def test_a_restarted_database_is_found_again(api: Api, migrated: Database) -> None:
    token = await api.new_token()
    await api.app.state.cache.drop_token(fingerprint(token))
    with migrated.server.connect("postgres", "postgres") as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        assert connection.execute(query, [migrated.name]).rowcount >= 1
    assert (await api.get("validate", token)).status_code == 200


def _queries(answer: httpx.Response) -> int:
    return int(answer.headers["x-db-queries"])
