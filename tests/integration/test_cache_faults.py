"""A Redis that is of no use, in each of the ways there are: answers stay right and soon, and it is used again.

Both replicas reach Redis through one proxy, which breaks the network; the other faults are Redis's own.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from service.tokens.opaque import new_token
from tests.faults import Network, Proxy, proxy_to
from tests.judge import VALIDATE, Judge
from tests.redis_use import NewSessions, sessions_of_one_user, until_redis_serves
from tests.replicas import Replica, SeededSession, replicas
from tests.servers import Postgres, Redis, copied_database, redis_server
from tests.wire import Wire, wires

pytestmark = pytest.mark.integration

SETTINGS = {
    "JANUA_CACHE_LEASE_SECONDS": "1",
    "JANUA_CACHE_MEMORY_LEASE_SECONDS": "1",
    "JANUA_REDIS_TIMEOUT_SECONDS": "0.25",
}
REQUESTS = 200
P95_SECONDS = 0.15  # the database's time, on a busy machine; a time-out of Redis in each would be more


@dataclass(frozen=True)
class Stage:
    """Two replicas, the Redis that they share, and the way to it."""

    pair: Sequence[Replica]
    redis: Redis
    proxy: Proxy
    new_sessions: NewSessions


@pytest.fixture(scope="module")
def stage(
    postgres: Postgres, template: str, password_file: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("replicas")
    with (
        copied_database(postgres, template) as database,
        redis_server(password_file) as redis,
        proxy_to(redis.port) as proxy,
        replicas(2, database, replace(redis, port=proxy.port), folder, **SETTINGS) as pair,
    ):
        yield Stage(pair, redis, proxy, sessions_of_one_user(database))


def network(kind: Network, stage: Stage) -> AbstractContextManager[None]:
    return stage.proxy.network(kind)


@contextmanager
def configured(settings: dict[str, str], stage: Stage) -> Iterator[None]:
    """Redis with other settings, until the block ends."""
    with closing(stage.redis.client()) as admin:
        before = {name: str(admin.config_get(name)[name]) for name in settings}
        for name, value in settings.items():
            admin.config_set(name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                admin.config_set(name, value)


@contextmanager
def read_only(stage: Stage) -> Iterator[None]:
    """Redis is the replica of a server that is not there."""
    with closing(stage.redis.client()) as admin:
        admin.replicaof("127.0.0.1", "1")
        try:
            yield
        finally:
            admin.replicaof("NO", "ONE")


@contextmanager
def another_password(stage: Stage) -> Iterator[None]:
    """Redis wants another password, from those too who had given the old one."""
    with configured({"requirepass": "another one"}, stage):
        stage.proxy.cut()
        yield


@dataclass(frozen=True)
class Fault:
    """How it is made, whether Redis then answers nothing at all, and the reason under which its failures count."""

    make: Callable[[Stage], AbstractContextManager[None]]
    reason: str
    down: bool = True


FAULTS = {
    "slow": Fault(partial(network, Network.SLOW), "timeout"),
    "black-holed": Fault(partial(network, Network.LOST), "timeout"),
    "refusing": Fault(partial(network, Network.CLOSED), "unreachable"),
    "another-password": Fault(another_password, "refused"),
    "read-only": Fault(read_only, "readonly", down=False),
    "out-of-memory": Fault(partial(configured, {"maxmemory": "1mb"}), "oom", down=False),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_answers_stay_right_and_soon_and_redis_is_used_again(stage: Stage, name: str) -> None:
    fault, judge = FAULTS[name], Judge()
    sessions = stage.new_sessions(REQUESTS)
    async with wires([replica.url for replica in stage.pair]) as clients:
        await until_redis_serves(stage.pair, stage.new_sessions)
        await judge.on_each(clients, sessions[:10])
        failures = [failed(replica, fault.reason) for replica in stage.pair]
        with fault.make(stage):
            await judge.on_each(clients, sessions[:1])
            assert await p95(judge, clients, sessions) < P95_SECONDS
            await unknown_tokens_are_refused(clients)
            for client, session in zip(clients, sessions, strict=False):
                await judge.log_out(client, session)
                await judge.on_each(clients, [session])
            await asyncio.to_thread(must_be_seen, stage, fault, failures)
        await until_redis_serves(stage.pair, stage.new_sessions)
        await judge.on_each(clients, sessions)
    assert judge.wrong == []
    assert len(judge.ended) == len(clients)


async def p95(judge: Judge, clients: list[Wire], sessions: list[SeededSession]) -> float:
    """Of one validation after the other, in seconds: of tokens that the replicas have seen, and of others."""
    seconds = []
    for number, session in enumerate(sessions):
        began = time.monotonic()
        await judge.validate(clients[number % 2], session if number % 4 else sessions[0])
        seconds.append(time.monotonic() - began)
    return sorted(seconds)[int(0.95 * len(seconds))]


async def unknown_tokens_are_refused(clients: list[Wire]) -> None:
    for client in clients:
        assert (await client.request("GET", VALIDATE, new_token())).status == 401


def must_be_seen(stage: Stage, fault: Fault, failures: list[float]) -> None:
    """The fault shows in the figures of both replicas."""
    for replica, before in zip(stage.pair, failures, strict=True):
        if fault.down:
            assert replica.metric("janua_redis_up") == 0
        assert failed(replica, fault.reason) > before


def failed(replica: Replica, reason: str) -> float:
    """Commands that Redis did not carry out, for that reason."""
    return replica.metric(f'janua_cache_store_failures_total{{reason="{reason}"}}')
