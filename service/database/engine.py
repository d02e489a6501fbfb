"""The connection to the database: one pool, and on whose behalf its connections are used."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn

from service.database.checkout import Checkout
from service.database.counting import count_statement, count_statements, time_statements
from service.database.postgres import TenantConnection, Unit, connect, refuse_dead_connection
from service.database.scope import Scope
from service.database.statement import Statement
from service.database.types import AnyRow, Values
from service.observability.context import note_operation, operation_begins
from service.settings import Settings

_CONNECT_SECONDS = 2
_STATEMENT_MILLISECONDS = 5000


class Database:
    """A pool of connections to PostgreSQL or SQLite.

    On PostgreSQL what a connection may see follows from its scope, by row level security. SQLite has no such
    thing: there the tenant stands in each statement of the repositories (which it does on both).
    """

    def __init__(self, settings: Settings) -> None:
        url = settings.sqlalchemy_url
        self.pool_size = settings.database_pool_size
        self._engine = _create_engine(url, settings)
        # A single statement is its own transaction: autocommit spares the round trips of BEGIN and COMMIT.
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        count_statements(self._engine.sync_engine)
        if settings.traces_url:
            time_statements(self._engine.sync_engine)

    async def execute(self, statement: Statement, values: Values, scope: Scope | None = None) -> Sequence[AnyRow]:
        """The rows of one statement, which is a transaction of its own. Raises SQLAlchemyError."""
        if not self.has_row_level_security:
            async with self.reading(scope) as connection:
                rows: Sequence[AnyRow] = (await connection.execute(statement.clause, values)).all()
                return rows
        try:
            async with Checkout(self._driver()) as driver:
                return await _run(driver, statement, values, scope)
        except psycopg.Error as error:
            raise DBAPIError.instance(statement.text, None, error, psycopg.Error, hide_parameters=True) from error

    @asynccontextmanager
    async def reading(self, scope: Scope | None = None) -> AsyncIterator[AsyncConnection]:
        """A connection on which each statement stands alone; without a scope it sees no tenant's rows."""
        async with Checkout(self._autocommit.connect()) as connection:
            await _begin_unit(connection, Unit.ALONE, scope)
            yield connection

    @asynccontextmanager
    async def writing(self, scope: Scope | None) -> AsyncIterator[AsyncConnection]:
        """A connection for one change, which on PostgreSQL must be one statement (RuntimeError else)."""
        async with Checkout(self._engine.begin()) as connection:
            await _begin_unit(connection, Unit.SINGLE, scope)
            yield connection

    @asynccontextmanager
    async def transaction(self, scope: Scope | None) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction, committed at the end and rolled back after an error."""
        async with Checkout(self._engine.begin()) as connection:
            await _begin_unit(connection, Unit.TRANSACTION, scope)
            yield connection

    @property
    def dialect(self) -> str:
        """The database's kind, as SQLAlchemy calls it."""
        return self._engine.dialect.name

    @property
    def has_row_level_security(self) -> bool:
        """Whether the database itself keeps tenants apart."""
        return self.dialect == postgresql.dialect.name

    @property
    def connections_in_use(self) -> int:
        """How many connections are handed out now."""
        return self._pool.checkedout()

    @property
    def connections_idle(self) -> int:
        """How many connections wait in the pool now."""
        return self._pool.checkedin()

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _driver(self) -> AsyncIterator[TenantConnection]:
        """The driver's own connection, from the pool as any other."""
        pooled = await self._engine.raw_connection()
        driver = cast("TenantConnection", pooled.driver_connection)
        try:
            yield driver
        finally:
            if driver.closed:
                await greenlet_spawn(pooled.invalidate)
            else:
                pooled.close()

    @property
    def _pool(self) -> QueuePool:
        return cast("QueuePool", self._engine.pool)


async def _run(driver: TenantConnection, statement: Statement, values: Values, scope: Scope | None) -> Sequence[AnyRow]:
    """Execute it; it is counted and part of the request's trace as those are that SQLAlchemy executes."""
    count_statement(statement.text)
    began = operation_begins()
    try:
        rows = await driver.run(statement, values, scope)
    except BaseException as error:
        note_operation(postgresql.dialect.name, statement.text, began, error)
        raise
    note_operation(postgresql.dialect.name, statement.text, began)
    return rows


async def enter_scope(connection: AsyncConnection, scope: Scope) -> None:
    """Go on in the same transaction for another tenant."""
    driver = await _driver_connection(connection)
    if isinstance(driver, TenantConnection):
        driver.enter(scope)


async def _begin_unit(connection: AsyncConnection, unit: Unit, scope: Scope | None) -> None:
    driver = await _driver_connection(connection)
    if isinstance(driver, TenantConnection):
        driver.begin_unit(unit, scope)


async def _driver_connection(connection: AsyncConnection) -> Any:
    return (await connection.get_raw_connection()).driver_connection


def sync_url(settings: Settings) -> URL:
    """The same database for a synchronous engine: migrations are no place for concurrency."""
    url = settings.sqlalchemy_url
    _prepare_sqlite_file(url)
    # SQLite has a driver for each way; psycopg is both in one.
    return url.set(drivername=url.drivername.removesuffix("+aiosqlite"))


@contextmanager
def brief_connection(settings: Settings, *, autocommit: bool = False) -> Iterator[Connection]:
    """A connection for a program that does one thing and ends: one transaction, or none. Raises SQLAlchemyError."""
    options = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    engine = create_engine(sync_url(settings), **options)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _prepare_sqlite_file(url: URL) -> None:
    """Make the directory of a SQLite file, which SQLite itself does not."""
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _create_engine(url: URL, settings: Settings) -> AsyncEngine:
    options: dict[str, Any] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.database_timeout_seconds,
        # An error's message would else quote addresses and hashes into the log.
        "hide_parameters": True,
    }
    if url.get_backend_name() == "sqlite":
        _prepare_sqlite_file(url)
        engine = create_async_engine(url, **options)
        event.listen(engine.sync_engine, "connect", _configure_sqlite)
        return engine
    session = f"-c timezone=UTC -c statement_timeout={_STATEMENT_MILLISECONDS}"
    arguments = {"connect_timeout": _CONNECT_SECONDS, "application_name": "janua", "options": session}
    engine = create_async_engine(
        url,
        # What the scope needs of BEGIN and COMMIT it sends itself, see service/database/postgres.py.
        isolation_level="AUTOCOMMIT",
        # The connection that was used last: the caches of its server's process are the warmest.
        pool_use_lifo=True,
        # Every unit ends its transaction itself, and the check at a checkout finds whatever did not.
        pool_reset_on_return=None,
        # Looking for the extension's types would be a query for each new connection.
        use_native_hstore=False,
        connect_args=arguments | {"async_creator_fn": connect},
        **options,
    )
    event.listen(engine.sync_engine, "checkout", refuse_dead_connection)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
