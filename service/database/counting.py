"""Counts the statements and round trips of the request that is being served, and notes how long each took."""

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from service.observability.context import current_request, note_operation, operation_begins

_READS_OR_WRITES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH"})


def touches_tables(statement: str) -> bool:
    """Whether a statement reads or writes tables; BEGIN, COMMIT, SET, SHOW and the like do not."""
    words = statement.split(None, 1)
    return bool(words) and words[0].upper() in _READS_OR_WRITES


def count_statements(engine: Engine) -> None:
    """Add each such statement of `engine` to its request's count; those of background work have no request."""

    @event.listens_for(engine, "before_cursor_execute")
    def _count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        count_statement(statement)


def count_statement(statement: str) -> None:
    """Add a statement that is about to be executed to its request's count, if it touches tables."""
    request = current_request()
    if request is not None and touches_tables(statement):
        request.db_queries += 1


def count_round_trip() -> None:
    """Add one to the round trips of the request that is being served."""
    request = current_request()
    if request is not None:
        request.db_round_trips += 1


def time_statements(engine: Engine) -> None:
    """Let each statement of `engine` be part of its request's trace, without the values that it was given."""
    system = engine.dialect.name

    @event.listens_for(engine, "before_cursor_execute")
    def _begin(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
        context.began = operation_begins()

    @event.listens_for(engine, "after_cursor_execute")
    def _end(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        note_operation(system, statement, context.began)

    @event.listens_for(engine, "handle_error")
    def _fail(failure: ExceptionContext) -> None:
        began = getattr(failure.execution_context, "began", None)
        if began is not None and failure.statement is not None:
            note_operation(system, failure.statement, began, failure.original_exception)
