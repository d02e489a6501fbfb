"""Cleaning up on PostgreSQL: replicas share the work, and what is deleted is found by an index."""

import asyncio
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from service.auth.lockout import Lockout
from service.clock import SystemClock
from service.database.engine import Database as ServiceDatabase
from service.observability.metrics import Metrics
from service.sessions.cleanup import MOST, Cleanup
from service.sessions.expiry import Expired, delete_expired
from service.settings import Settings
from tests.servers import Database

pytestmark = pytest.mark.integration

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# As many sessions as numbers, one a minute from LONG_AGO on, each with a rotated token.
_SEED = (
    "INSERT INTO users (id, tenant_id, email, password_hash, created_at, updated_at)"
    " SELECT gen_random_uuid(), id, 'ada@example.com', '', %(from)s, %(from)s FROM tenants WHERE slug = 'default'",
    "INSERT INTO sessions (id, tenant_id, user_id, token, refresh_token, is_active, created_at, expires_at,"
    " refresh_expires_at)"
    " SELECT gen_random_uuid(), u.tenant_id, u.id, 'a' || n, 'r' || n, true, %(from)s,"
    " %(from)s + n * interval '1 minute', %(from)s + n * interval '1 minute' + interval '1 day'"
    " FROM users u, generate_series(1, %(many)s) n",
    "INSERT INTO rotated_tokens (token, access_token, tenant_id, session_id, rotated_at)"
    " SELECT 'old ' || refresh_token, 'old ' || token, tenant_id, id, created_at FROM sessions",
    "ANALYZE sessions",
)


def _seed(database: Database, many: int) -> None:
    with database.connect() as connection:
        for statement in _SEED:
            connection.execute(statement, {"from": LONG_AGO, "many": many})


class Replica:
    """What one replica has of its own."""

    def __init__(self, settings: Settings) -> None:
        clock = SystemClock()
        self.database = ServiceDatabase(settings)
        self.metrics = Metrics(release="test", clock=clock)
        self.cleanup = Cleanup(settings, self.database, Lockout(10, 900), clock, self.metrics)

    @property
    def deleted(self) -> int:
        return int(self.metrics.registry.get_sample_value("janua_sessions_cleaned_total") or 0)


async def test_replicas_share_the_work(migrated: Database) -> None:
    many = 5 * MOST + 1
    _seed(migrated, many)
    replicas = [Replica(migrated.settings()) for _ in range(2)]
    await asyncio.gather(*(replica.cleanup.round() for replica in replicas))
    with migrated.connect() as connection:
        left = connection.execute("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM rotated_tokens)")
        assert left.fetchone() == (0, 0)
    assert sum(replica.deleted for replica in replicas) == many
    for replica in replicas:
        assert replica.deleted > 0
        await replica.database.close()


async def test_nobody_waits_for_sessions_that_another_replica_deletes(migrated: Database) -> None:
    _seed(migrated, 100)
    replica = Replica(migrated.settings())
    now = datetime.now(UTC)
    with closing(migrated.server.connect(migrated.name, "janua_app")) as other, other.transaction():
        arguments = [now - timedelta(days=1), now, now - timedelta(days=1), 60]
        first = other.execute("SELECT janua_delete_expired(%s, %s, %s, %s::int)", arguments).fetchone()
        assert first == (60,)
        # Who waited would be stopped by the statement's time-out; the other one guards a hang.
        async with asyncio.timeout(30), replica.database.writing(None) as connection:
            expired = Expired(now, now - timedelta(days=1), now - timedelta(days=1))
            assert await delete_expired(connection, expired, 60) == 40
    await replica.database.close()


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
def test_the_index_finds_what_has_expired(migrated: Database, plan: str) -> None:
    """The statement is the function's own; in a function it is planned for its arguments first, then once for all."""
    _seed(migrated, 50_000)
    with migrated.connect() as connection:
        [body] = (
            connection.execute("SELECT prosrc FROM pg_proc WHERE proname = 'janua_delete_expired'").fetchone() or ()
        )
        found = re.search(r"s\.id IN \((.*?)\)\s*;", body, re.DOTALL)
        assert found is not None
        select = found[1]
        for number, parameter in enumerate(("expired_before", "at", "most"), start=1):
            select, replaced = re.subn(rf"\b{parameter}\b", f"${number}", select)
            assert replaced == 1
        connection.execute(f"SET plan_cache_mode = {plan}")
        connection.execute(f"PREPARE wanted (timestamptz, timestamptz, integer) AS {select}")
        # A day of 35, as a service meets it that was off for a day; and nothing, as it mostly is.
        for days, rows in ((1, 1000), (0, 0)):
            nodes = _nodes(_explain(connection, LONG_AGO + timedelta(days=days)))
            scans = [node for node in nodes if "Scan" in node["Node Type"]]
            assert [scan.get("Index Name") for scan in scans] == ["idx_sessions_expires"]
            # It stops where it has enough.
            assert scans[0]["Actual Rows"] == rows


def _explain(connection: psycopg.Connection[Any], before: datetime) -> dict[str, Any]:
    at = before + timedelta(days=30)
    query = f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE wanted ('{before}', '{at}', {MOST})"
    [row] = connection.execute(query).fetchall()
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]
