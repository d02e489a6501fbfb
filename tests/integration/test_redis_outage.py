"""Redis is killed under steady requests of every kind: no wrong answer, no 5xx, and it is used again soon."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.harness import PASSWORD
from tests.judge import Judge
from tests.redis_use import sessions_of_one_user, until_redis_serves
from tests.replicas import SeededSession, replicas
from tests.servers import Database, Redis
from tests.wire import Wire, wires

pytestmark = pytest.mark.integration

SETTINGS = {
    "JANUA_CACHE_LEASE_SECONDS": "2",
    "JANUA_CACHE_MEMORY_LEASE_SECONDS": "2",
    "JANUA_REDIS_TIMEOUT_SECONDS": "0.25",
}
BEFORE_SECONDS, DOWN_SECONDS, BACK_SECONDS = 3, 8, 30  # a logout in a replica's first lease waits for its end
READERS, REVOKERS = 4, 4  # of each replica


@dataclass
class Load:
    """Steady validations, logins and logouts until it is told to stop."""

    clients: Sequence[Wire]
    judge: Judge
    live: list[SeededSession]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    logins: Counter[int] = field(default_factory=Counter)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for client in self.clients:
                group.create_task(self._log_in(client))
                for number in range(READERS):
                    group.create_task(self._read(client, number))
                for _ in range(REVOKERS):
                    group.create_task(self._log_out(client))

    async def _read(self, client: Wire, number: int) -> None:
        """Ask for live sessions, and for the ones that ended last."""
        while not self.stop.is_set():
            number += READERS
            await self.judge.validate(client, self.live[number % len(self.live)])
            for ended in list(self.judge.ended)[-READERS:]:
                await self.judge.validate(client, ended)
            await asyncio.sleep(0.02)

    async def _log_out(self, client: Wire) -> None:
        while not self.stop.is_set():
            session = self.live.pop()
            await self.judge.log_out(client, session)
            await self.judge.on_each(self.clients, [session])
            await asyncio.sleep(0.05)

    async def _log_in(self, client: Wire) -> None:
        while not self.stop.is_set():
            body = {"email": self.live[0].user.email, "password": PASSWORD}
            answer = await client.request("POST", "/api/v1/auth/login", body=body)
            self.logins[answer.status] += 1
            for each in self.clients:
                me = await each.request("GET", "/api/v1/auth/me", answer.json()["access_token"])
                self.logins[me.status] += 1
            await asyncio.sleep(0.2)


async def test_nothing_is_wrong_while_redis_is_gone(migrated: Database, own_redis: Redis, tmp_path: Path) -> None:
    judge, new_sessions = Judge(), sessions_of_one_user(migrated)
    with replicas(2, migrated, own_redis, tmp_path, **SETTINGS) as pair:
        async with wires([replica.url for replica in pair]) as clients, asyncio.TaskGroup() as group:
            load = Load(clients, judge, new_sessions(3000))
            group.create_task(load.run())
            await until_redis_serves(pair, new_sessions)
            await asyncio.sleep(BEFORE_SECONDS)
            await asyncio.to_thread(own_redis.container.kill)
            before, killed = len(judge.ended), time.monotonic()
            await asyncio.sleep(DOWN_SECONDS / 2)
            for replica in pair:
                assert await asyncio.to_thread(replica.metric, "janua_redis_up") == 0
            await asyncio.sleep(killed + DOWN_SECONDS - time.monotonic())
            during = len(judge.ended) - before
            await asyncio.to_thread(own_redis.container.start)
            await asyncio.to_thread(own_redis.wait)
            await until_redis_serves(pair, new_sessions, BACK_SECONDS)
            load.stop.set()
        for replica in pair:
            assert replica.metric("janua_redis_up") == 1
    assert judge.wrong == []
    assert set(load.logins) == {200}
    assert before > 0
    assert during > 0
