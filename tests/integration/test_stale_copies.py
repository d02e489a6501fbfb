"""Copies that outlive a logout: in a snapshot to which Redis returns, and in a replica that nobody could tell."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from service.tokens.opaque import fingerprint
from tests.faults import Network, Proxy, proxy_to, stopped
from tests.judge import Judge
from tests.redis_use import NewSessions, sessions_of_one_user, until_redis_serves
from tests.replicas import Replica, replicas
from tests.servers import Database, Redis
from tests.wire import wires

pytestmark = pytest.mark.integration

LEASE_SECONDS = 2
NEGATIVE_SECONDS = 0.5
SETTINGS = {
    "JANUA_CACHE_LEASE_SECONDS": str(LEASE_SECONDS),
    "JANUA_CACHE_MEMORY_LEASE_SECONDS": str(LEASE_SECONDS),
    "JANUA_CACHE_NEGATIVE_SECONDS": str(NEGATIVE_SECONDS),
    "JANUA_REDIS_TIMEOUT_SECONDS": "0.25",
}


@pytest.fixture
def new_sessions(migrated: Database) -> NewSessions:
    return sessions_of_one_user(migrated)


@pytest.fixture
def pair(migrated: Database, own_redis: Redis, tmp_path: Path) -> Iterator[Sequence[Replica]]:
    with replicas(2, migrated, own_redis, new_folder(tmp_path), **SETTINGS) as started:
        yield started


@dataclass(frozen=True)
class Apart:
    """Two replicas, of which one reaches Redis through a proxy."""

    proxy: Proxy
    cut_off: Replica
    revoker: Replica

    @property
    def pair(self) -> Sequence[Replica]:
        return self.cut_off, self.revoker


@pytest.fixture
def apart(migrated: Database, redis: Redis, tmp_path: Path) -> Iterator[Apart]:
    settings = SETTINGS | {"JANUA_REDIS_TIMEOUT_SECONDS": str(1.5 * LEASE_SECONDS)}  # no time-out helps the lease
    with (
        proxy_to(redis.port) as proxy,
        replicas(1, migrated, replace(redis, port=proxy.port), new_folder(tmp_path), **settings) as [cut_off],
        replicas(1, migrated, redis, new_folder(tmp_path), **settings) as [revoker],
    ):
        yield Apart(proxy, cut_off, revoker)


def new_folder(parent: Path) -> Path:
    """One for the files of replicas that are started together."""
    folder = parent / str(len(list(parent.iterdir())))
    folder.mkdir()
    return folder


async def test_a_snapshot_from_before_a_logout_brings_no_token_back(
    migrated: Database, own_redis: Redis, tmp_path: Path, pair: Sequence[Replica], new_sessions: NewSessions
) -> None:
    judge, sessions = Judge(), new_sessions(4)
    kept = sessions.pop()
    async with wires([replica.url for replica in pair]) as clients:
        await until_redis_serves(pair, new_sessions)
        await judge.on_each(clients, [kept, *sessions])
        await asyncio.to_thread(own_redis.client().save)
        for client, session in zip([*clients, clients[0]], sessions, strict=True):
            await judge.log_out(client, session)
        assert copies(own_redis, sessions[0].token) == []
        await judge.on_each(clients, sessions)

        await asyncio.to_thread(own_redis.restart, with_snapshot=True)
        assert copies(own_redis, sessions[0].token) != []
        await judge.on_each(clients, sessions)
        await until_redis_serves(pair, new_sessions)
        await asyncio.sleep(NEGATIVE_SECONDS)  # that a replica knows it to be unknown is not what refuses it
        await judge.on_each(clients, [kept, *sessions])

        with replicas(1, migrated, own_redis, new_folder(tmp_path), **SETTINGS) as [later]:
            async with wires([later.url]) as newcomer:
                await until_redis_serves([pair[0], later], new_sessions)
                await judge.on_each(newcomer, [kept, *sessions])
    assert judge.wrong == []
    assert len(judge.ended) == len(sessions)


def copies(redis: Redis, token: str) -> list[str]:
    """The keys of a token's copies in Redis."""
    return [key for key in redis.entries() if fingerprint(token) in key]


async def test_a_replica_that_stood_still_refuses_what_ended_meanwhile(apart: Apart, new_sessions: NewSessions) -> None:
    """When it goes on there is no message for it either."""
    judge, sessions = Judge(), new_sessions(10)
    async with wires([replica.url for replica in apart.pair]) as clients:
        frozen, revoker = clients
        await until_redis_serves(apart.pair, new_sessions)
        await judge.on_each(clients * 2, sessions)  # the second time from the copies
        with apart.proxy.network(Network.LOST):
            with stopped(apart.cut_off.process):
                began = time.monotonic()
                await asyncio.gather(*(judge.log_out(revoker, session) for session in sessions))
                assert time.monotonic() - began < LEASE_SECONDS + 10
                # Sent after the answers, and read when the replica goes on:
                waiting = [asyncio.create_task(judge.validate(frozen, session)) for session in sessions]
                await asyncio.sleep(max(0.1, 1.5 * LEASE_SECONDS + began - time.monotonic()))
                assert not any(task.done() for task in waiting)
            assert {answer.status for answer in await asyncio.gather(*waiting)} == {401}
    assert judge.wrong == []
    assert len(judge.ended) == len(sessions)


@pytest.mark.parametrize("fault", [Network.LOST, Network.HELD], ids=lambda fault: fault.name.lower())
async def test_a_replica_that_is_not_told_refuses_as_well(
    apart: Apart, new_sessions: NewSessions, fault: Network
) -> None:
    """Its way to Redis is broken, and it does not know yet: for up to a lease it goes on to serve its copies."""
    judge, sessions = Judge(), new_sessions(20)
    async with wires([replica.url for replica in apart.pair]) as clients:
        await until_redis_serves(apart.pair, new_sessions)
        await judge.on_each(clients * 2, sessions)
        with apart.proxy.network(fault):
            logouts = asyncio.gather(*(judge.log_out(clients[1], session) for session in sessions))
            while not logouts.done():
                await judge.on_each(clients[:1], sessions)
            await judge.on_each(clients, sessions)
        await until_redis_serves(apart.pair, new_sessions)
        await judge.on_each(clients, sessions)
    assert judge.wrong == []
    assert len(judge.ended) == len(sessions)
