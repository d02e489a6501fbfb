"""Two replicas, thousands of races: what was answered holds, and the audit trail adds up."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from tests.harness import PASSWORD
from tests.replicas import Replica, SeededSession, Seeder, replicas
from tests.servers import Database, Redis
from tests.wire import Answer, Wire, in_parallel, wires

pytestmark = pytest.mark.integration

LOGOUTS = 3_000  # and ten thousand while things fail: test_cache_races_under_faults.py
REUSES = 1_000
VALIDATE, LOGOUT = "/api/v1/auth/validate", "/api/v1/auth/logout"


@pytest.fixture
def pair(migrated: Database, redis: Redis, tmp_path: Path) -> Iterator[Sequence[Replica]]:
    with replicas(2, migrated, redis, tmp_path) as started:
        yield started


def seeded_sessions(database: Database, count: int, users: int = 50) -> list[SeededSession]:
    seeder = Seeder(database, PASSWORD)
    made = seeder.users(users, seeder.default_tenant())
    return seeder.sessions([made[number % users] for number in range(count)])


async def test_no_token_is_accepted_after_its_logout(migrated: Database, pair: Sequence[Replica]) -> None:
    sessions = seeded_sessions(migrated, LOGOUTS)
    accepted_late: list[UUID] = []
    raced = acknowledged = 0
    choose = random.Random(7)  # noqa: S311 - which replica and when, nothing secret

    async with wires([replica.url for replica in pair]) as clients:

        async def race(session: SeededSession, revoker: Wire, delay: float) -> None:
            nonlocal raced, acknowledged
            done = asyncio.Event()
            readers = [asyncio.create_task(read(client, session.token, done)) for client in clients]
            await asyncio.sleep(delay)
            answer = await revoker.request("POST", LOGOUT, session.token)
            assert answer.status == 204, answer
            acknowledged_at = time.monotonic()
            done.set()
            acknowledged += 1
            for started, status in [item for each in await asyncio.gather(*readers) for item in each]:
                raced += started < acknowledged_at
                if status != 401 and started >= acknowledged_at:
                    accepted_late.append(session.id)
            # Whatever a slow reader may have stored in the meantime:
            last = [await client.request("GET", VALIDATE, session.token) for client in clients]
            accepted_late.extend(session.id for answer in last if answer.status != 401)

        plan = [(session, choose.choice(clients), choose.choice((0, 0, 0.001, 0.002, 0.005))) for session in sessions]
        await in_parallel([partial(race, *each) for each in plan])
    assert accepted_late == []
    assert acknowledged == LOGOUTS
    assert raced >= 2 * LOGOUTS
    with migrated.connect() as connection:
        rows = connection.execute("SELECT event_type, count(*), count(DISTINCT request_id) FROM audit_logs GROUP BY 1")
        assert rows.fetchall() == [("logout", LOGOUTS, LOGOUTS)]
    assert sum(replica.metric("janua_audit_rows_total") for replica in pair) == LOGOUTS


async def read(client: Wire, token: str, done: asyncio.Event) -> list[tuple[float, int]]:
    """Validate until the logout is acknowledged and once more: when each began, and what was answered."""
    answers = []
    last = False
    while not last:
        last = done.is_set()
        started = time.monotonic()
        answer = await client.request("GET", VALIDATE, token)
        assert answer.status in (200, 401), answer
        answers.append((started, answer.status))
    return answers


async def test_every_reuse_of_a_refresh_token_ends_its_session(migrated: Database, pair: Sequence[Replica]) -> None:
    sessions = seeded_sessions(migrated, REUSES)
    survivors: list[UUID] = []
    async with wires([replica.url for replica in pair]) as clients:

        async def steal(session: SeededSession, mine: Wire, theirs: Wire) -> None:
            first = (await exchange(mine, session.refresh_token)).json()
            second = (await exchange(theirs, first["refresh_token"])).json()
            assert (await theirs.request("GET", VALIDATE, second["access_token"])).status == 200
            assert (await exchange(mine, session.refresh_token)).status == 401
            for client in clients:
                access = await client.request("GET", VALIDATE, second["access_token"])
                refreshed = await exchange(client, second["refresh_token"])
                survivors.extend(session.id for answer in (access, refreshed) if answer.status != 401)

        await in_parallel([partial(steal, s, clients[n % 2], clients[(n + 1) % 2]) for n, s in enumerate(sessions)])
    assert survivors == []
    with migrated.connect() as connection:
        rows = connection.execute("SELECT event_type, count(*) FROM audit_logs GROUP BY 1 ORDER BY 1").fetchall()
        active = connection.execute("SELECT count(*) FROM sessions WHERE is_active").fetchone()
    assert rows == [("refresh_reused", REUSES), ("token_refreshed", 2 * REUSES)]
    assert active == (0,)


async def test_fifty_refreshes_on_two_replicas_leave_one_live_chain(
    migrated: Database, redis: Redis, tmp_path: Path
) -> None:
    [session] = seeded_sessions(migrated, 1)
    # A busy machine may take longer for all of them than the grace lasts.
    with replicas(2, migrated, redis, tmp_path, JANUA_REFRESH_GRACE_SECONDS="60") as pair:
        async with wires([replica.url for replica in pair]) as clients:
            answers = await asyncio.gather(*(exchange(clients[n % 2], session.refresh_token) for n in range(50)))
            assert {answer.status for answer in answers} == {200}
            [(access, refresh)] = {(a.json()["access_token"], a.json()["refresh_token"]) for a in answers}
            for client in clients:
                assert (await client.request("GET", VALIDATE, access)).status == 200
            assert (await exchange(clients[0], refresh)).status == 200
    with migrated.connect() as connection:
        assert connection.execute("SELECT count(*) FROM rotated_tokens").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM sessions WHERE is_active").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM audit_logs").fetchone() == (51,)


async def exchange(client: Wire, refresh_token: str) -> Answer:
    return await client.request("POST", "/api/v1/auth/refresh", body={"refresh_token": refresh_token})
