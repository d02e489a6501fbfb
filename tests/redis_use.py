"""Whether replicas use Redis: seen by what they answer without their database, and by their own figures."""

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import permutations

from tests.harness import PASSWORD
from tests.judge import VALIDATE
from tests.replicas import Replica, SeededSession, Seeder
from tests.servers import Database
from tests.wire import Wire, wires

NewSessions = Callable[[int], list[SeededSession]]
"""Makes so many sessions that no replica has seen."""


def sessions_of_one_user(database: Database) -> NewSessions:
    """What makes sessions of a user who is made now."""
    seeder = Seeder(database, PASSWORD)
    [user] = seeder.users(1, seeder.default_tenant())
    return lambda count: seeder.sessions([user] * count)


def redis_hits(replica: Replica) -> float:
    """Look-ups that a replica's tier `redis` answered, of all kinds."""
    lines = [line for line in replica.exposition().splitlines() if line.startswith("janua_cache_requests_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'result="hit"' in line and 'tier="redis"' in line)


async def until_redis_serves(pair: Sequence[Replica], new_sessions: NewSessions, seconds: float = 60) -> None:
    """Wait until each replica finds in Redis what any other one stored there; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    async with wires([replica.url for replica in pair]) as clients:
        for storing, finding in permutations(range(len(pair)), 2):
            while not await _is_found(new_sessions, clients[storing], clients[finding], pair[finding]):
                assert time.monotonic() < deadline, f"{pair[finding].url} is not back on Redis"
                await asyncio.sleep(0.1)


async def _is_found(new_sessions: NewSessions, storing: Wire, finding: Wire, replica: Replica) -> bool:
    """Whether a replica answers for a session that it has never seen without its database."""
    [session] = await asyncio.to_thread(new_sessions, 1)
    before = await asyncio.to_thread(redis_hits, replica)
    answers = [await client.request("GET", VALIDATE, session.token) for client in (storing, finding)]
    assert [answer.status for answer in answers] == [200, 200], answers
    return answers[1].headers["x-db-queries"] == "0" and await asyncio.to_thread(redis_hits, replica) > before
