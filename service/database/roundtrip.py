"""Prepared statements in one round trip, in libpq's own words.

psycopg's cursors and SQLAlchemy's execution above them do the same at three times the CPU (0.55 against 0.17 ms of
process time for an account's look-up with its checkout, both in a loop): for the few statements that every login
executes that is worth a module.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from psycopg import pq
from psycopg.abc import Buffer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq.abc import PGconn, PGresult

from service.database.counting import count_round_trip


class Call(NamedTuple):
    """A statement, what it is prepared under, and the values of its parameters in PostgreSQL's text format."""

    name: bytes
    text: bytes
    values: Sequence[Buffer | None]


class _Sent(NamedTuple):
    """Something that the server answers with one result."""

    name: bytes
    prepares: bool


async def execute(connection: PGconn, known: set[bytes], calls: Sequence[Call]) -> PGresult:
    """Execute the calls as one transaction; the last one's result. `known` are the names that have been prepared.

    After a rollback psycopg lets the server forget all that was prepared: what is missing then is prepared again, one
    round trip for each, and nothing was executed before that. Raises psycopg.Error as `_exchange` does.
    """
    for _ in calls:
        with suppress(InvalidSqlStatementName):
            return await _exchange(connection, known, calls)
    return await _exchange(connection, known, calls)


async def _exchange(connection: PGconn, known: set[bytes], calls: Sequence[Call]) -> PGresult:
    """One round trip.

    Raises psycopg.Error: what the server said of the first call that failed, or that the connection is lost, which is
    then closed. Whoever is cancelled meanwhile closes it as well: a statement that nobody waits for any more is ended
    by the server at its time-out.
    """
    count_round_trip()
    try:
        sent = _send(connection, known, calls)
        results = await _receive(connection)
        connection.exit_pipeline_mode()
    except BaseException:
        connection.finish()
        raise
    for part, result in zip(sent, results, strict=False):
        if result.status == pq.ExecStatus.FATAL_ERROR:
            error = error_from_result(result)
            if isinstance(error, InvalidSqlStatementName):
                known.discard(part.name)
            raise error
        if part.prepares:
            known.add(part.name)
    return results[-1]


def _send(connection: PGconn, known: set[bytes], calls: Sequence[Call]) -> list[_Sent]:
    """Put everything into libpq's buffer; what a result will come of."""
    sent = []
    connection.enter_pipeline_mode()
    for call in calls:
        if call.name not in known:
            connection.send_prepare(call.name, call.text)
            sent.append(_Sent(call.name, prepares=True))
        connection.send_query_prepared(call.name, call.values)
        sent.append(_Sent(call.name, prepares=False))
    connection.pipeline_sync()
    return sent


async def _receive(connection: PGconn) -> list[PGresult]:
    """The results, one for each thing that was sent."""
    results: list[PGresult] = []
    is_unsent = bool(connection.flush())
    while True:
        await _until_ready(connection.socket, writing=is_unsent)
        connection.consume_input()
        is_unsent = is_unsent and bool(connection.flush())
        is_between = False
        while not connection.is_busy():
            result = connection.get_result()
            if result is None:
                if is_between:
                    break  # libpq has no more than that
                is_between = True
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                return results
            else:
                results.append(result)
                is_between = False


async def _until_ready(socket: int, *, writing: bool) -> None:
    """Wait until there is something to read, or until something can be written."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(socket, _resolve, ready)
    if writing:
        loop.add_writer(socket, _resolve, ready)
    try:
        await ready
    finally:
        loop.remove_reader(socket)
        if writing:
            loop.remove_writer(socket)


def _resolve(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
