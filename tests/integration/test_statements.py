"""Statements that are built once: what they give back, and in which state they leave their connection."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Integer, Select, String, Uuid, bindparam, func, insert, literal, select, text, true
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from service.database.engine import Database as Pool
from service.database.scope import Scope
from service.database.statement import Statement
from service.database.tables import tenants, users
from service.database.types import Json, UtcDateTime
from service.ids import new_id
from tests import servers
from tests.harness import eventually

pytestmark = pytest.mark.integration

WHO = Statement(
    select(func.pg_backend_pid().label("pid"), func.current_setting("janua.tenant_id", true()).label("tenant"))
)
SLEEP = Statement(select(func.pg_sleep(bindparam("seconds", type_=Integer)).label("slept")))
FOR_EVER = 30  # more seconds than PostgreSQL lets a statement run
DEFAULT = Statement(select(tenants.c.id).where(tenants.c.slug == "default"))


@pytest.fixture
async def pool(migrated: servers.Database) -> AsyncIterator[Pool]:
    """With one connection: whoever leaves it in a bad state spoils the next statement."""
    made = Pool(migrated.settings(database_pool_size=1))
    yield made
    await made.close()


async def _pid(pool: Pool) -> int:
    (row,) = await pool.execute(WHO, {})
    return int(row.pid)


async def _until_it_sleeps(database: servers.Database, pid: int) -> None:
    """Wait until PostgreSQL's process of that number is within SLEEP."""
    query = "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
    with database.connect("postgres") as observer:
        await eventually(lambda: observer.execute(query, [pid]).fetchone() is not None)


def _echo(value: Any, kind: Any) -> tuple[Statement, dict[str, Any]]:
    return Statement(select(bindparam("value", type_=kind).label("echo"))), {"value": value}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", String),
        ("100 % ¿\n'\"\\", String),
        (-1, Integer),
        (new_id(), Uuid),
        (datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), UtcDateTime),
        ({"reason": "a 'quoted' ☃", "deep": [1, None, True]}, Json),
        (None, String),
    ],
)
async def test_values_come_back_as_they_went(pool: Pool, value: Any, kind: Any) -> None:
    statement, values = _echo(value, kind)
    assert [row.echo for row in await pool.execute(statement, values)] == [value]


async def test_an_instant_is_in_utc_and_a_naive_one_is_refused(pool: Pool) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    statement, values = _echo(noon, UtcDateTime)
    (row,) = await pool.execute(statement, values)
    assert (row.echo, row.echo.tzinfo) == (noon, UTC)
    with pytest.raises(ValueError, match="time zone"):
        await pool.execute(statement, {"value": noon.replace(tzinfo=None)})
    assert await _pid(pool)


async def test_a_value_that_was_forgotten_is_an_error(pool: Pool) -> None:
    statement, _ = _echo("", String)
    with pytest.raises(KeyError, match="value"):
        await pool.execute(statement, {})


async def test_more_than_the_sockets_hold_goes_through(pool: Pool) -> None:
    value = "x" * 20_000_000
    statement, values = _echo(value, String)
    (row,) = await pool.execute(statement, values)
    assert row.echo == value


async def test_no_rows_and_many_rows(pool: Pool) -> None:
    numbers: Select[Any] = select(func.generate_series(1, bindparam("last", type_=Integer)).label("number"))
    statement = Statement(numbers)
    for last in (0, 1, 10_000):
        assert [row.number for row in await pool.execute(statement, {"last": last})] == list(range(1, last + 1))


async def test_the_scope_holds_for_its_statement_only(pool: Pool) -> None:
    scope = Scope(new_id())
    (row,) = await pool.execute(WHO, {}, scope)
    assert row.tenant == str(scope.tenant_id)
    (row,) = await pool.execute(WHO, {})
    assert not row.tenant


async def test_row_level_security_applies(pool: Pool) -> None:
    (default,) = await pool.execute(DEFAULT, {}, Scope(new_id(), platform=True))
    assert await pool.execute(DEFAULT, {}, Scope(new_id())) == []
    assert await pool.execute(DEFAULT, {}) == []
    assert await pool.execute(DEFAULT, {}, Scope(default.id)) == [default]


async def test_an_error_is_sqlalchemys_hides_the_values_and_spoils_nothing(pool: Pool) -> None:
    before = await _pid(pool)
    (default,) = await pool.execute(DEFAULT, {}, Scope(new_id(), platform=True))
    columns = {"id": new_id(), "tenant_id": default.id, "email": "secret@example.com", "password_hash": "x"}
    columns |= {"created_at": datetime.now(UTC), "updated_at": datetime.now(UTC)}
    row = select(*(literal(value, users.c[name].type) for name, value in columns.items()))
    added = insert(users).from_select(list(columns), row).returning(users.c.id).cte("added")
    statement = Statement(select(added.c.id))
    await pool.execute(statement, {}, Scope(default.id))
    with pytest.raises(IntegrityError) as failure:
        await pool.execute(statement, {}, Scope(default.id))
    assert "secret" not in str(failure.value).replace(str(failure.value.orig), "")
    assert await _pid(pool) == before


async def test_the_time_limit_of_a_statement_is_the_servers(pool: Pool) -> None:
    before = await _pid(pool)
    async with pool.reading() as connection:
        await connection.execute(text("SET statement_timeout = 2000"))  # it holds for the quick one after it, too
    with pytest.raises(OperationalError):
        await pool.execute(SLEEP, {"seconds": 4})
    assert await _pid(pool) == before


async def test_what_the_server_has_forgotten_is_prepared_again(pool: Pool) -> None:
    before = await _pid(pool)
    async with pool.reading() as connection:
        await connection.execute(text("DEALLOCATE ALL"))
    assert await _pid(pool) == before


async def test_of_what_a_connection_has_prepared_only_the_forgotten_is_prepared_again(pool: Pool) -> None:
    scope = Scope(new_id())
    await pool.execute(DEFAULT, {}, scope)
    async with pool.reading() as connection:
        await connection.execute(text("DEALLOCATE ALL"))
    before = await _pid(pool)  # prepared after it, while the scope's statement is still forgotten
    (row,) = await pool.execute(WHO, {}, scope)
    assert (row.pid, row.tenant) == (before, str(scope.tenant_id))
    assert await pool.execute(DEFAULT, {}, scope) == []


async def test_a_connection_is_shared_with_transactions_that_are_rolled_back(pool: Pool) -> None:
    before = await _pid(pool)
    for _ in range(3):
        with pytest.raises(DBAPIError):
            async with pool.transaction(Scope(new_id())) as connection:
                await connection.execute(text("SELECT 1 / 0"))
        assert await _pid(pool) == before


async def test_who_is_cancelled_leaves_no_answer_behind(pool: Pool, migrated: servers.Database) -> None:
    before = await _pid(pool)
    slow = asyncio.create_task(pool.execute(SLEEP, {"seconds": FOR_EVER}))
    await _until_it_sleeps(migrated, before)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert pool.connections_in_use == 0
    assert await _pid(pool) != before


async def test_a_connection_that_the_server_ends_is_replaced(pool: Pool, migrated: servers.Database) -> None:
    before = await _pid(pool)
    slow = asyncio.create_task(pool.execute(SLEEP, {"seconds": FOR_EVER}))
    await _until_it_sleeps(migrated, before)
    with migrated.connect("janua_app") as same_role:
        same_role.execute("SELECT pg_terminate_backend(%s)", [before])
    with pytest.raises(OperationalError):
        await slow
    assert pool.connections_in_use == 0
    assert await _pid(pool) != before
