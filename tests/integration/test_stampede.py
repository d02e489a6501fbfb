"""Five hundred requests for one token that no cache knows, at the same moment: few loads."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.tokens.opaque import fingerprint, new_token
from tests.harness import PASSWORD
from tests.judge import VALIDATE
from tests.replicas import Replica, Seeder, replicas
from tests.servers import Database, Redis
from tests.wire import Wire, wires

pytestmark = pytest.mark.integration

READERS = 250  # of each replica
NEGATIVE_SECONDS = 2
SETTINGS = {
    "JANUA_DATABASE_POOL_SIZE": "5",
    "JANUA_CACHE_NEGATIVE_SECONDS": str(NEGATIVE_SECONDS),
}
LOADS = 'janua_db_queries_total{path="/api/v1/auth/validate"}'


@pytest.fixture
def pair(migrated: Database, redis: Redis, tmp_path: Path) -> Iterator[Sequence[Replica]]:
    with migrated.connect("postgres") as connection:
        connection.execute("ALTER ROLE janua_app SET log_statement = 'all'")
        try:
            with replicas(2, migrated, redis, tmp_path, **SETTINGS) as started:
                yield started
        finally:
            connection.execute("ALTER ROLE janua_app RESET log_statement")


class Loads:
    """How often tokens were looked up in the database."""

    by_postgres = 0
    by_replicas = 0.0


@contextmanager
def counted_loads(database: Database, pair: Sequence[Replica]) -> Iterator[Loads]:
    """Count them while the block runs: two witnesses, PostgreSQL's log and the replicas' own figures."""

    def witnesses() -> tuple[int, float]:
        return database.server.container.logs().count(b"janua_identity("), sum(each.metric(LOADS) for each in pair)

    loads, before = Loads(), witnesses()
    yield loads
    after = witnesses()
    loads.by_postgres, loads.by_replicas = after[0] - before[0], after[1] - before[1]


async def ask_at_once(clients: Sequence[Wire], token: str) -> Counter[int]:
    """The statuses that all readers of all replicas got, whose connections were open before."""
    await asyncio.gather(*(client.connect(READERS) for client in clients))
    requests = [client.request("GET", VALIDATE, token) for _ in range(READERS) for client in clients]
    return Counter(answer.status for answer in await asyncio.gather(*requests))


async def test_one_cold_token_is_loaded_once_a_replica(migrated: Database, pair: Sequence[Replica]) -> None:
    seeder = Seeder(migrated, PASSWORD)
    [session] = seeder.sessions(seeder.users(1, seeder.default_tenant()))
    async with wires([replica.url for replica in pair]) as clients:
        with counted_loads(migrated, pair) as loads:
            assert await ask_at_once(clients, session.token) == {200: 2 * READERS}
    assert 1 <= loads.by_postgres <= 2
    assert loads.by_replicas == loads.by_postgres


async def test_one_unknown_token_is_looked_for_once_a_replica(migrated: Database, pair: Sequence[Replica]) -> None:
    """At most, until that is forgotten: who came while it was looked for learns that it is unknown."""
    async with wires([replica.url for replica in pair]) as clients:
        began = time.monotonic()
        with counted_loads(migrated, pair) as loads:
            assert await ask_at_once(clients, new_token()) == {401: 2 * READERS}
        # A machine that is busy with other things may need longer for all of them than that is remembered.
        forgotten = int((time.monotonic() - began) / NEGATIVE_SECONDS)
    assert 1 <= loads.by_postgres <= 2 * (1 + forgotten)
    assert loads.by_replicas == loads.by_postgres


async def test_an_unknown_token_is_accepted_soon_after_it_became_known(
    migrated: Database, pair: Sequence[Replica]
) -> None:
    """However often it is asked for in the meantime."""
    seeder, token = Seeder(migrated, PASSWORD), new_token()
    [session] = seeder.sessions(seeder.users(1, seeder.default_tenant()))
    async with wires([replica.url for replica in pair]) as clients:
        for client in clients:
            assert (await client.request("GET", VALIDATE, token)).status == 401
        with migrated.connect("postgres") as connection:
            connection.execute("UPDATE sessions SET token = %s WHERE id = %s", [fingerprint(token), session.id])
        known = time.monotonic()
        for client in clients:
            asked = time.monotonic()
            while (await client.request("GET", VALIDATE, token)).status != 200:
                assert asked < known + NEGATIVE_SECONDS + 1  # it was asked then, however late the answer is
                await asyncio.sleep(0.02)
                asked = time.monotonic()
        again = [await client.request("GET", VALIDATE, token) for client in clients * 10]
    assert {answer.status for answer in again} == {200}
