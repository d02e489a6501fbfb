"""Ten thousand logouts against validations on two replicas, while one fault after the other is injected."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from tests.faults import Network, Proxy, proxy_to, stopped
from tests.races import Races
from tests.redis_use import NewSessions, sessions_of_one_user, until_redis_serves
from tests.replicas import Replica, replicas
from tests.servers import Database, Redis
from tests.wire import in_parallel, wires

pytestmark = pytest.mark.integration

RACES, AT_ONCE = 10_000, 128
LEASE_SECONDS = 1
CALM_SECONDS, FAULT_SECONDS = 2, 2 * LEASE_SECONDS
SETTINGS = {
    "JANUA_CACHE_LEASE_SECONDS": str(LEASE_SECONDS),
    "JANUA_CACHE_MEMORY_LEASE_SECONDS": str(LEASE_SECONDS),
    "JANUA_CACHE_NEGATIVE_SECONDS": "0.5",
    "JANUA_REDIS_TIMEOUT_SECONDS": str(1.5 * LEASE_SECONDS),  # no time-out helps the lease
    "JANUA_LOG_LEVEL": "WARNING",  # a line for each of a hundred thousand requests would be part of the work
}


@dataclass(frozen=True)
class Stage:
    """A replica that reaches Redis directly, one that reaches it through a proxy, and that Redis."""

    pair: list[Replica]
    redis: Redis
    proxy: Proxy
    new_sessions: NewSessions


@pytest.fixture
def stage(migrated: Database, own_redis: Redis, tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        proxy = stack.enter_context(proxy_to(own_redis.port))
        pair: list[Replica] = []
        for redis in (own_redis, replace(own_redis, port=proxy.port)):
            folder = tmp_path / str(redis.port)
            folder.mkdir()
            pair += stack.enter_context(replicas(1, migrated, redis, folder, **SETTINGS))
        yield Stage(pair, own_redis, proxy, sessions_of_one_user(migrated))


async def restart_redis(stage: Stage, races: Races) -> None:
    await asyncio.to_thread(stage.redis.restart, with_snapshot=False)


async def restore_redis(stage: Stage, races: Races) -> None:
    """To what it held before the logouts of the last second.

    No logout fails meanwhile: it would raise the generation, and so make every copy of the snapshot worthless.
    """
    await asyncio.to_thread(stage.redis.client().save)
    await asyncio.sleep(1)
    async with races.judge.no_logouts():
        await asyncio.to_thread(stage.redis.restart, with_snapshot=True)
        await until_redis_serves(stage.pair, stage.new_sessions)
        await races.recheck()


async def pause_redis(stage: Stage, races: Races) -> None:
    await asyncio.to_thread(stage.redis.container.pause)
    try:
        await asyncio.sleep(FAULT_SECONDS)
    finally:
        await asyncio.to_thread(stage.redis.container.unpause)


async def stop_a_replica(number: int, stage: Stage, races: Races) -> None:
    with stopped(stage.pair[number].process):
        await asyncio.sleep(FAULT_SECONDS)


async def break_the_network(kind: Network, stage: Stage, races: Races) -> None:
    with stage.proxy.network(kind):
        await asyncio.sleep(FAULT_SECONDS)


async def cut_the_network(stage: Stage, races: Races) -> None:
    for _ in range(10):
        stage.proxy.cut()
        await asyncio.sleep(FAULT_SECONDS / 10)


FAULTS: dict[str, Callable[[Stage, Races], Awaitable[None]]] = {
    "Redis restored": restore_redis,
    "replica stopped": partial(stop_a_replica, 0),
    "network lost": partial(break_the_network, Network.LOST),
    "Redis paused": pause_redis,
    "network held": partial(break_the_network, Network.HELD),
    "Redis restarted": restart_redis,
    "network deaf": partial(break_the_network, Network.DEAF),
    "other replica stopped": partial(stop_a_replica, 1),
    "network cut": cut_the_network,
}


async def inject_faults(stage: Stage, races: Races) -> None:
    """One after the other, until cancelled; what was ended by then is asked for again after each."""
    for name, inject in cycle(FAULTS.items()):
        await asyncio.sleep(CALM_SECONDS)
        with races.under(name):
            await inject(stage, races)
        await races.recheck()


async def test_no_token_is_accepted_after_its_logout_whatever_fails(migrated: Database, stage: Stage) -> None:
    choose = random.Random(7)  # noqa: S311 - which replica and when, nothing secret
    began = time.monotonic()
    async with wires([replica.url for replica in stage.pair]) as clients:
        races = Races(clients)
        sessions = stage.new_sessions(RACES)
        plan = [(session, choose.choice(clients), choose.choice((0, 0, 0.001, 0.005, 0.1))) for session in sessions]
        faults = asyncio.create_task(inject_faults(stage, races))
        await in_parallel([partial(races.run, *each) for each in plan], AT_ONCE)
        faults.cancel()
        with suppress(asyncio.CancelledError):
            await faults
        await until_redis_serves(stage.pair, stage.new_sessions)
        await races.recheck(choose.sample(sessions, 500))
    print(f"{time.monotonic() - began:.0f} s, {races.judge.validations} validations")
    print(f"{races.disturbed} of {RACES} races met a fault:")
    print(*(f"{name}: {races.injected[name]} times, {races.met[name]} races" for name in FAULTS), sep="\n")
    assert races.judge.wrong == []
    assert len(races.judge.ended) == RACES
    assert min(races.met[name] for name in FAULTS) >= AT_ONCE
    assert races.disturbed >= RACES / 4
    with migrated.connect() as connection:
        rows = connection.execute("SELECT event_type, count(*), count(DISTINCT request_id) FROM audit_logs GROUP BY 1")
        assert rows.fetchall() == [("logout", RACES, RACES)]
