"""Lists that grow without end are read through indexes: what PostgreSQL plans to do for the application."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql

from service.audit.events import AuditEvent
from service.audit.models import AuditFilter
from service.audit.queries import Position, records_page
from service.database import engine
from service.database.scope import Scope
from service.pagination import DEFAULT_LIMIT, MAX_LIMIT
from service.users.repository import users_page
from tests.servers import Database

pytestmark = pytest.mark.integration

EVENTS = 60_000
USERS = 30_000
START = datetime(2026, 1, 1, tzinfo=UTC)
LARGE, SMALL = UUID(int=1), UUID(int=5)
SHARES = {LARGE: 0.98, SMALL: 0.005}
USER = {LARGE: UUID(int=20), SMALL: UUID(int=199)}


def tenant_of(number: int) -> UUID:
    """A row's tenant: of two hundred rows one is each small tenant's, and all others the large one's."""
    return UUID(int=max(number % 200 - 194, 1))


def events() -> Iterator[tuple[Any, ...]]:
    """An event for each second; a quarter of them concerns no user."""
    types = list(AuditEvent)
    for number in range(1, EVENTS + 1):
        user_id = UUID(int=number % 600) if number // 20 % 4 else None
        moment = START + timedelta(seconds=number)
        yield UUID(int=number), tenant_of(number), user_id, types[number % len(types)], moment, "{}"


def people() -> Iterator[tuple[Any, ...]]:
    for number in range(1, USERS + 1):
        yield UUID(int=number), tenant_of(number), f"u{number}@example.com", "x", START, START


def tenants() -> Iterator[tuple[Any, ...]]:
    for number in range(1, 6):
        yield UUID(int=number), f"t{number}", "Tenant", START


@pytest.fixture
async def application(migrated: Database) -> AsyncIterator[engine.Database]:
    with migrated.connect("postgres") as superuser, superuser.cursor() as cursor:
        for statement, rows in (
            ("COPY tenants (id, slug, name, created_at) FROM STDIN", tenants()),
            ("COPY users (id, tenant_id, email, password_hash, created_at, updated_at) FROM STDIN", people()),
            ("COPY audit_logs (id, tenant_id, user_id, event_type, created_at, details) FROM STDIN", events()),
        ):
            with cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
        cursor.execute("ANALYZE")
    database = engine.Database(migrated.settings())
    yield database
    await database.close()


async def plan(database: engine.Database, tenant_id: UUID, statement: Select[Any]) -> str:
    """How the statement would be carried out with the tenant set, as in a request."""
    dialect = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    async with database.reading(Scope(tenant_id)) as connection:
        assert (await connection.exec_driver_sql("SELECT current_user")).scalar_one() == "janua_app"
        rows = await connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)
        return "\n".join(row[0] for row in rows)


async def test_the_seed_has_what_is_asked_for(application: engine.Database) -> None:
    for tenant_id, share in SHARES.items():
        async with application.reading(Scope(tenant_id)) as connection:
            counted = (await connection.exec_driver_sql("SELECT count(*) FROM audit_logs")).scalar_one()
            assert counted == share * EVENTS
            wanted = AuditFilter(USER[tenant_id], since=START + timedelta(seconds=EVENTS // 4))
            assert (await connection.execute(records_page(tenant_id, wanted, None, MAX_LIMIT))).all()


async def test_each_page_of_the_trail_comes_from_an_index(application: engine.Database) -> None:
    second_page = Position(START + timedelta(seconds=EVENTS // 2), UUID(int=EVENTS // 2))
    choices = product(
        (LARGE, SMALL),
        (False, True),
        (None, AuditEvent.LOGIN_FAILURE),
        (None, START + timedelta(seconds=EVENTS // 4)),
        (None, START + timedelta(seconds=3 * EVENTS // 4)),
        (None, second_page),
        (DEFAULT_LIMIT + 1, MAX_LIMIT + 1),
    )
    for tenant_id, of_user, event, since, until, after, limit in choices:
        wanted = AuditFilter(USER[tenant_id] if of_user else None, event, since, until)
        planned = await plan(application, tenant_id, records_page(tenant_id, wanted, after, limit))
        assert "Seq Scan" not in planned, planned
        conditions = [line for line in planned.splitlines() if "Index Cond" in line]
        assert conditions, planned
        if after is not None:
            # The index begins where the page before has ended.
            assert any("created_at <= " in condition for condition in conditions), planned
        if of_user:
            assert "idx_audit_user_time" in planned
        elif event is None:
            assert "idx_audit_tenant_time" in planned


async def test_each_page_of_users_comes_from_an_index(application: engine.Database) -> None:
    for tenant_id, after, limit in product((LARGE, SMALL), (None, UUID(int=USERS // 2)), (DEFAULT_LIMIT, MAX_LIMIT)):
        planned = await plan(application, tenant_id, users_page(tenant_id, after, limit + 1))
        assert "Seq Scan" not in planned, planned
        assert "Sort" not in planned, planned  # it stops where the page ends
        if tenant_id == SMALL:
            assert "ix_users_tenant_id_id" in planned, planned
        if after is not None:
            assert "id > " in planned.partition("Index Cond")[2], planned
