"""Two replicas over one PostgreSQL and one Redis: no token is accepted after its logout was answered."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

import pytest

from service.tokens.opaque import fingerprint
from tests.harness import Api, bearer, eventually, new_email, problem, running
from tests.servers import Database, Redis

pytestmark = pytest.mark.integration

RACES = 100
READERS = 4


async def test_logout_against_validations_on_two_replicas(migrated: Database, redis: Redis) -> None:
    settings = migrated.settings(**redis.settings)
    async with running(settings) as first, running(settings) as second:
        replicas = (first, second)
        email = new_email()
        await first.signup(email)
        loads = 0
        for race in range(RACES):
            token = (await replicas[race % 2].login(email)).json()["access_token"]
            if race % 4:  # mostly cold, so that the readers load while the logout commits
                await first.app.state.cache.drop_token(fingerprint(token))
            stop = asyncio.Event()
            readers = [asyncio.create_task(_read(replicas[n % 2], token, stop)) for n in range(READERS)]
            await asyncio.sleep(0.001 * (race % 7))
            assert (await replicas[(race + 1) % 2].logout(token)).status_code == 204
            answers = await asyncio.gather(*(api.get("validate", token) for api in replicas * 2))
            assert [answer.status_code for answer in answers] == [401] * 4
            stop.set()
            loads += sum(await asyncio.gather(*readers))
            # And whatever a reader may have stored in the meantime:
            for api in replicas:
                problem(await api.get("validate", token), 401, "invalid-token")
        assert loads > RACES  # the readers did race


async def _read(api: Api, token: str, stop: asyncio.Event) -> int:
    """Validate until told to stop; how often the database was asked."""
    loads = 0
    while not stop.is_set():
        answer = await api.client.get("/api/v1/auth/validate", headers=bearer(token))
        loads += int(answer.headers["x-db-queries"])
        await asyncio.sleep(0)  # an answer from memory waits for nothing, and in this process nobody else would run
    return loads


async def test_a_replica_without_redis_revokes_for_the_others(migrated: Database, redis: Redis) -> None:
    connected = migrated.settings(**redis.settings, cache_lease_seconds=1)
    cut_off = migrated.settings(redis_url="redis://127.0.0.1:1/0", cache_lease_seconds=1)
    async with running(connected) as other, running(cut_off) as revoker:
        token = await other.new_token()
        # A replica whose lease has lapsed, as when the machine stands still, stores nothing.
        async with asyncio.timeout(60):
            while f"token:validation:{fingerprint(token)}" not in redis.entries():
                assert (await other.get("validate", token)).status_code == 200
        assert (await revoker.get("validate", token)).status_code == 200
        assert (await revoker.logout(token)).status_code == 204
        assert f"token:validation:{fingerprint(token)}" in redis.entries()  # the copy is still there
        for api in (other, revoker):
            problem(await api.get("validate", token), 401, "invalid-token")
            problem(await api.get("me", token), 401, "invalid-token")


@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_redis_goes_and_comes_back(migrated: Database, own_redis: Redis, how: str) -> None:
    """Killed it comes back empty; paused it does not answer, and comes back with all that it held."""
    lease = {"cache_lease_seconds": 1, "redis_timeout_seconds": 0.25}
    settings = migrated.settings(**own_redis.settings, **lease)
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(running(settings)) for _ in range(2)]
        first, second = replicas
        email = new_email()
        await first.signup(email)
        kept, ended, later = [(await first.login(email)).json()["access_token"] for _ in range(3)]
        await asyncio.to_thread(own_redis.container.kill if how == "killed" else own_redis.container.pause)

        # Down: slower, never wrong, never a 5xx.
        for api in replicas:
            for name in ("validate", "me"):
                answer = await api.get(name, kept)
                assert (answer.status_code, answer.headers["x-db-queries"]) == (200, "1")
            assert api.metric("janua_redis_up") == 0
            assert (await api.client.get("/readyz")).json()["status"] == "degraded"
        assert (await first.signup(new_email())).status_code == 201
        during = (await second.login(email)).json()["access_token"]
        assert (await first.logout(ended)).status_code == 204
        for api in replicas:
            problem(await api.get("validate", ended), 401, "invalid-token")
            assert (await api.get("validate", during)).status_code == 200

        # Back: found again by itself, and what ended stays ended.
        await asyncio.to_thread(own_redis.container.start if how == "killed" else own_redis.container.unpause)
        await asyncio.to_thread(own_redis.wait)
        for api in replicas:
            await eventually(partial(_redis_is_up, api))
            problem(await api.get("validate", ended), 401, "invalid-token")
        await _until_cached(first, kept)
        assert (await second.logout(later)).status_code == 204
        problem(await first.get("validate", later), 401, "invalid-token")


def _redis_is_up(api: Api) -> bool:
    return api.metric("janua_redis_up") == 1


async def _until_cached(api: Api, token: str) -> None:
    """Redis answers again, the lease is renewed: then the database is not asked any more."""
    async with asyncio.timeout(60):
        while True:
            answer = await api.get("validate", token)
            assert answer.status_code == 200
            if answer.headers["x-db-queries"] == "0":
                return
            await asyncio.sleep(0.05)
