"""Far more clients than connections to the database: an answer or a refusal, soon, and nothing is left behind."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from psycopg import errors

from infra.waiting import until_it_answers
from tests.harness import PASSWORD
from tests.replicas import Replica, Seeder, replicas
from tests.servers import Database, Redis
from tests.wire import Wire, wires

pytestmark = pytest.mark.integration

CLIENTS = 200
LOGINS = 600  # at once: more than one thread hashes within the deadline
POOL = 5
# The limits of a deployment, which the other tests loosen.
LIMITS = {
    "JANUA_DATABASE_POOL_SIZE": str(POOL),
    "JANUA_DATABASE_TIMEOUT_SECONDS": "0.5",
    # In its first lease a replica waits with each revocation; that is not what is measured here.
    "JANUA_CACHE_MEMORY_LEASE_SECONDS": "0.2",
}
# A wait for a connection and a machine that stands still for 3 s; less than a statement may take, or a patient pool.
SOON_SECONDS = 4


async def ask(wire: Wire, method: str, path: str, token: str) -> tuple[int, float]:
    """The status, and how long the service took by its own account: the client's queue is not its fault."""
    answer = await wire.request(method, path, token)
    assert answer.headers["x-response-time"].endswith("ms")
    return answer.status, float(answer.headers["x-response-time"][:-2]) / 1000


def connections(database: Database) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = 'janua_app'"
    with database.server.connect("postgres", "postgres") as connection:
        row = connection.execute(query, [database.name]).fetchone()
    assert row is not None
    return int(row[0])


def assert_nothing_is_left(replica: Replica, database: Database) -> None:
    def idle() -> None:
        assert replica.metric('janua_db_pool_connections{state="in_use"}') == 0
        assert connections(database) <= POOL

    until_it_answers(idle, (AssertionError,))


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/auth/validate"), ("GET", "/api/v1/auth/sessions"), ("POST", "/api/v1/auth/logout")],
)
async def test_two_hundred_clients_share_five_connections(
    migrated: Database, redis: Redis, tmp_path: Path, method: str, path: str
) -> None:
    seeder = Seeder(migrated, PASSWORD)
    first, *sessions = seeder.sessions(seeder.users(1 + CLIENTS, seeder.default_tenant()))
    # A replica that hears nothing from Redis for a lease, as when the machine stands still, revokes the slow way.
    limits = LIMITS | {"JANUA_CACHE_MEMORY_LEASE_SECONDS": str(SOON_SECONDS)}
    with replicas(1, migrated, redis, tmp_path, **limits) as [replica]:
        async with wires([replica.url]) as [wire]:
            await ask(wire, method, path, first.token)  # if it is a revocation, the first lease is over now
            answers = await asyncio.gather(*(ask(wire, method, path, session.token) for session in sessions))
            statuses = Counter(status for status, _ in answers)
            assert set(statuses) <= {200, 204, 503}
            assert statuses[200] + statuses[204] > 0
            assert max(seconds for _, seconds in answers) < SOON_SECONDS
            # And afterwards it serves as before.
            again = [await ask(wire, "GET", "/api/v1/auth/me", session.token) for session in sessions[:POOL]]
            assert {status for status, _ in again} <= {200, 401}
        assert_nothing_is_left(replica, migrated)


async def test_a_database_that_stands_still_is_answered_with_503(
    migrated: Database, redis: Redis, tmp_path: Path
) -> None:
    """Every connection waits for a lock: who holds one is refused by the statement's time-out, the others before."""
    seeder = Seeder(migrated, PASSWORD)
    sessions = seeder.sessions(seeder.users(CLIENTS, seeder.default_tenant()))
    with replicas(1, migrated, redis, tmp_path, **LIMITS) as [replica]:
        async with wires([replica.url]) as [wire]:
            with migrated.connect() as blocker:
                blocker.execute("BEGIN")
                blocker.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
                started = time.monotonic()
                answers = await asyncio.gather(
                    *(ask(wire, "GET", "/api/v1/auth/validate", session.token) for session in sessions)
                )
                blocked = time.monotonic() - started
                with suppress(errors.InFailedSqlTransaction):
                    blocker.execute("ROLLBACK")
            assert {status for status, _ in answers} == {503}
            assert sum(seconds < SOON_SECONDS for _, seconds in answers) >= CLIENTS - 2 * POOL
            assert blocked < 15
            status, _ = await ask(wire, "GET", "/api/v1/auth/validate", sessions[0].token)
            assert status == 200
        assert_nothing_is_left(replica, migrated)


async def test_logins_beyond_the_hashing_threads_are_shed(migrated: Database, redis: Redis, tmp_path: Path) -> None:
    seeder = Seeder(migrated, PASSWORD)
    users = seeder.users(LOGINS, seeder.default_tenant())
    # All of them get as far as the hash, and a machine may stand still before the first one ends.
    patient = {"JANUA_HASH_DEADLINE_SECONDS": "4", "JANUA_DATABASE_TIMEOUT_SECONDS": "30"}
    limits = LIMITS | patient | {"JANUA_HASH_WORKERS": "1"}
    with replicas(1, migrated, redis, tmp_path, **limits) as [replica]:
        async with wires([replica.url]) as [wire]:
            bodies = [{"email": user.email, "password": PASSWORD} for user in users]
            answers = await asyncio.gather(*(wire.request("POST", "/api/v1/auth/login", body=body) for body in bodies))
            statuses = Counter(answer.status for answer in answers)
            assert set(statuses) <= {200, 429, 503}
            assert statuses[200] > 0
            assert statuses[429] > 0
            assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status != 200)
            # And afterwards it serves as before; a machine that stands still may have it say so twice.
            async with asyncio.timeout(60):
                while (last := await wire.request("POST", "/api/v1/auth/login", body=bodies[0])).status == 429:
                    pass
            assert last.status == 200
        assert replica.metric("janua_hash_queue_depth") == 0
        assert_nothing_is_left(replica, migrated)


async def test_cancelled_requests_give_their_connections_back(migrated: Database, redis: Redis, tmp_path: Path) -> None:
    """Clients that hang up in the middle of a query."""
    seeder = Seeder(migrated, PASSWORD)
    sessions = seeder.sessions(seeder.users(100, seeder.default_tenant()))
    with replicas(1, migrated, redis, tmp_path, **LIMITS) as [replica]:
        async with wires([replica.url]) as [wire]:
            tasks = [asyncio.create_task(wire.request("GET", "/api/v1/auth/me", s.token)) for s in sessions]
            await asyncio.sleep(0.02)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert_nothing_is_left(replica, migrated)  # and nobody has to wait behind those that still run
        async with wires([replica.url]) as [wire]:
            for session in sessions:
                answer = await wire.request("GET", "/api/v1/auth/me", session.token)
                assert answer.status == 200
                assert answer.json()["id"] == str(session.user.id)
        assert_nothing_is_left(replica, migrated)
