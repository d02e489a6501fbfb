"""A request whose time is over gives back what it holds: connections to PostgreSQL and Redis, and nothing half read."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import Float, String, bindparam, func, select

from service.database.statement import Statement
from service.settings import Settings
from tests.harness import Api, Person, eventually, problem, put_clock_forward, running
from tests.servers import Database, Redis

pytestmark = pytest.mark.integration

# What a request may take, which a machine that stands still for a moment does not use up: tests put the clock forward.
SECONDS = 60
# Longer than PostgreSQL lets a statement run.
FOR_EVER = 30
SLOW = select(bindparam("name", type_=String).label("name")).select_from(
    select(func.pg_sleep(bindparam("seconds", type_=Float))).subquery("slept")
)


@pytest.fixture
def settings(migrated: Database, redis: Redis) -> Settings:
    return migrated.settings(**redis.settings)


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    """With two connections, and routes that keep one for as long as they are asked to, in each of its uses."""
    limits = {"request_timeout_seconds": SECONDS, "database_pool_size": 2}
    # The service's own work has no turn before the test is over: it needs connections, too.
    limits |= {"cache_lease_seconds": 100_000, "cleanup_seconds": 1_000_000_000}
    async with running(settings.model_copy(update=limits)) as started:

        @started.app.get("/sleep/{use}")
        async def sleep(use: str, seconds: float, name: str) -> str:
            database, values = started.app.state.database, {"name": name, "seconds": seconds}
            if use == "execute":
                return str((await database.execute(Statement(SLOW), values))[0].name)
            async with getattr(database, use)(None) as connection:
                return str((await connection.execute(SLOW, values)).scalar_one())

        yield started


async def _sleep(api: Api, use: str, seconds: float, name: str) -> str:
    answer = await api.client.get(f"/sleep/{use}", params={"seconds": seconds, "name": name})
    if answer.status_code == 200:
        return str(answer.json())
    problem(answer, 503, "took-too-long")
    return "too long"


def _sleepers(observer: psycopg.Connection[Any]) -> set[int]:
    """PostgreSQL's processes that sleep; one whose request is over goes on to, up to the statement's time-out."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    return {pid for (pid,) in observer.execute(query)}


def _two_more_sleep(observer: psycopg.Connection[Any], former: set[int]) -> bool:
    return len(_sleepers(observer) - former) == 2


@pytest.mark.parametrize("use", ["execute", "reading", "writing", "transaction"])
async def test_its_connections_are_given_back_and_nobody_reads_its_answers(
    monkeypatch: pytest.MonkeyPatch, api: Api, migrated: Database, use: str
) -> None:
    with migrated.connect("postgres") as observer:
        for round_ in range(3):
            former = _sleepers(observer)
            slow = [asyncio.create_task(_sleep(api, use, FOR_EVER, "slow")) for _ in range(2)]
            await eventually(partial(_two_more_sleep, observer, former))
            put_clock_forward(monkeypatch, SECONDS)
            assert await asyncio.gather(*slow) == ["too long"] * 2
            assert api.metric("janua_db_pool_connections", state="in_use") == 0
            names = [f"{round_} {number}" for number in range(10)]
            assert await asyncio.gather(*(_sleep(api, use, 0, name) for name in names)) == names
    assert api.metric("janua_db_pool_connections", state="in_use") == 0


async def test_a_database_that_is_frozen_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, api: Api, migrated: Database
) -> None:
    person = await api.new_person()
    container = migrated.server.container
    # Both connections are open then: opening one has a time-out of its own.
    assert await asyncio.gather(*(_sleep(api, "reading", 1, "before") for _ in range(2))) == ["before"] * 2
    assert api.metric("janua_db_pool_connections", state="idle") == 2
    await asyncio.to_thread(container.pause)
    try:
        frozen = [asyncio.create_task(_sleep(api, "reading", 0, "frozen")) for _ in range(2)]
        await eventually(lambda: api.metric("janua_db_pool_connections", state="in_use") == 2)
        started = time.monotonic()
        put_clock_forward(monkeypatch, SECONDS)
        answers = await asyncio.gather(*frozen)
        answered = time.monotonic()
        assert answers == ["too long"] * 2
        assert answered - started < 8  # psycopg by itself would wait for ten seconds
        assert api.metric("janua_db_pool_connections", state="in_use") == 0
        # A token that the cache knows goes on being valid.
        assert (await person.call("GET", "/auth/validate")).status_code == 200
    finally:
        await asyncio.to_thread(container.unpause)
    assert await _sleep(api, "reading", 0, "after") == "after"


async def test_requests_that_end_at_any_moment_leave_nothing_to_the_next(settings: Settings, redis: Redis) -> None:
    """Many requests of different people at once, each cut off at another point: who gets an answer gets the own one."""
    async with running(settings) as patient:
        people = [await patient.new_person() for _ in range(5)]
        statuses = []
        for milliseconds in (2, 3, 4, 6, 8, 10, 12, 15, 20, 30, 60, 60_000):  # the last is enough
            hasty = settings.model_copy(update={"request_timeout_seconds": milliseconds / 1000})
            async with running(hasty) as api:
                redis.client().flushall()
                statuses += await asyncio.gather(*(_me(Person(api, p.user, p.session)) for p in people * 4))
                await eventually(partial(_pool_is_whole, api))  # the service's own work may hold one for a moment
        assert set(statuses) == {200, 503}
        assert await asyncio.gather(*(_me(person) for person in people)) == [200] * len(people)


def _pool_is_whole(api: Api) -> bool:
    return api.metric("janua_db_pool_connections", state="in_use") == 0


async def _me(person: Person) -> int:
    answer = await person.call("GET", "/auth/me")
    if answer.status_code == 200:
        assert answer.json()["id"] == person.user["id"]
    else:
        problem(answer, 503, "took-too-long")
    return answer.status_code
