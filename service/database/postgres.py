"""Connections to PostgreSQL that tell row level security whose rows are meant, without a round trip of its own.

The tenant is set for one transaction only (`set_config(…, is_local => true)`), so that a connection which goes
back to the pool remembers nobody. It is sent in front of the statement in the same pipeline, and what comes
between two Syncs of a pipeline is one implicit transaction (PostgreSQL's manual, "Pipelining"): setting the
tenant, the statement and its commit are one round trip together, where a driver's plain use needs four.
A test counts them on the wire.

There are two ways to do so: `TenantConnection.run` for a `Statement`, which is built once, and cursors for all that
SQLAlchemy executes.
"""

import asyncio
import select
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, LiteralString, Self, TypeVar

import psycopg
from psycopg import AsyncCursor, waiting
from psycopg.abc import Params, PQGen, Query
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError

from service.database.counting import count_round_trip
from service.database.roundtrip import Call, execute
from service.database.scope import Scope
from service.database.statement import Statement
from service.database.types import AnyRow, Values

_T = TypeVar("_T")

_SET_SCOPE: LiteralString = "SELECT set_config('janua.tenant_id', %s, true), set_config('janua.platform', %s, true)"
# The same in libpq's words, and what it is prepared under.
_SCOPE_NAME = b"janua_scope"
_SCOPE_TEXT = (_SET_SCOPE % ("$1", "$2")).encode()


class Unit(Enum):
    """What the statements of one checkout are to each other."""

    ALONE = "each is a transaction of its own"
    SINGLE = "there is one, which is the transaction"
    TRANSACTION = "all are one transaction"


class TenantConnection(psycopg.AsyncConnection[Any]):
    """A connection in autocommit mode whose cursors set the scope."""

    unit = Unit.ALONE
    scope: Scope | None = None
    scope_is_set = False
    statements = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: set[bytes] = set()

    async def run(self, statement: Statement, values: Values, scope: Scope | None) -> Sequence[AnyRow]:
        """Execute one statement as a transaction of its own, on behalf of a scope; its rows. Raises psycopg.Error."""
        transformer = Transformer(self)
        arguments = statement.arguments(values)
        dumped = transformer.dump_sequence(arguments, [PyFormat.TEXT] * len(arguments))
        calls = [Call(statement.name, statement.encoded, dumped)]
        if scope is not None:
            named = [value.encode() for value in _scope_values(scope)]
            calls.insert(0, Call(_SCOPE_NAME, _SCOPE_TEXT, named))
        result = await execute(self.pgconn, self._known, calls)
        transformer.set_pgresult(result)
        return statement.rows(transformer.load_rows(0, result.ntuples, tuple))

    def begin_unit(self, unit: Unit, scope: Scope | None) -> None:
        """Say for whom and how the next statements run, until the next call."""
        self.unit, self.statements = unit, 0
        self.enter(scope)

    def enter(self, scope: Scope | None) -> None:
        """Go on for somebody else, within a transaction too."""
        self.scope, self.scope_is_set = scope, False

    def prologue(self) -> list[tuple[LiteralString, Params | None]]:
        """What goes before the next statement in its pipeline. RuntimeError after a unit's only statement."""
        before: list[tuple[LiteralString, Params | None]] = []
        if self.unit is Unit.SINGLE and self.statements:
            raise RuntimeError("a second statement would be a second transaction: use Database.transaction")
        if self.unit is Unit.TRANSACTION and not self.statements:
            before.append(("BEGIN", None))
        if self.scope and not self.scope_is_set:
            before.append((_SET_SCOPE, _scope_values(self.scope)))
            self.scope_is_set = self.unit is Unit.TRANSACTION
        self.statements += 1
        return before

    async def commit(self) -> None:
        """Commit; nothing is sent if there is no transaction."""
        self._count_if_open()
        await super().commit()

    async def rollback(self) -> None:
        """Roll back; nothing is sent if there is no transaction."""
        self._count_if_open()
        await super().rollback()

    async def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:  # noqa: ASYNC109 - psycopg's
        """Wait for the server as psycopg does; whoever is cancelled meanwhile closes the connection at once.

        psycopg would ask the server to end the statement first, and wait up to ten seconds for one that is frozen.
        A statement that nobody waits for any more is ended by the server at its time-out.
        """
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            with suppress(psycopg.Error):  # it may have meant to read what the pipeline still holds
                gen.close()
            raise

    @property
    def is_idle(self) -> bool:
        """Whether it can be used for something new: it is open, and in no transaction."""
        return self.pgconn.transaction_status == TransactionStatus.IDLE

    def is_dead(self) -> bool:
        """Whether the server has hung up: an idle connection has something to read only then."""
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return bool(poll.poll(0))

    def _count_if_open(self) -> None:
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            count_round_trip()


class TenantCursor(AsyncCursor[Any]):
    """Sends each statement behind its connection's prologue, all in one round trip."""

    async def execute(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """Execute one statement and wait for its result."""
        connection = self.connection
        assert isinstance(connection, TenantConnection)  # noqa: S101 - whose cursor_factory this is
        count_round_trip()
        async with connection.pipeline():
            for statement, values in connection.prologue():
                await AsyncCursor(connection).execute(statement, values)
            await super().execute(query, params, prepare=prepare, binary=binary)  # type: ignore[arg-type, misc]  # one of psycopg's overloads takes templates alone
        return self


def _scope_values(scope: Scope) -> list[str]:
    return [str(scope.tenant_id), "on" if scope.platform else "off"]


async def connect(*args: Any, **kwargs: Any) -> TenantConnection:
    """Open a connection with psycopg's arguments. Raises psycopg.OperationalError."""
    # Threshold 0: a statement is parsed and planned once for each connection, at its first use.
    connection = await TenantConnection.connect(
        *args, **kwargs, autocommit=True, prepare_threshold=0, cursor_factory=TenantCursor
    )
    assert isinstance(connection, TenantConnection)  # noqa: S101 - connect() makes an instance of its class
    return connection


def refuse_dead_connection(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """The pool's check at each checkout; it costs a system call where a ping would cost a round trip.

    Raises InvalidatePoolError, which makes the pool open new connections: a server that hung up on one of
    them was restarted, or is gone. DisconnectionError if that is true of this one only, which somebody has left in the
    middle of something.
    """
    connection: TenantConnection = dbapi_connection.driver_connection
    if not connection.is_idle:
        raise DisconnectionError
    if connection.is_dead():
        raise InvalidatePoolError
