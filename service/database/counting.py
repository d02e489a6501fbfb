"""Counts the statements of the request that is being served."""

from typing import Any

from sqlalchemy import Engine, event

from service.observability.context import current_request

_READS_OR_WRITES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH"})


def touches_tables(statement: str) -> bool:
    """Whether a statement reads or writes tables; BEGIN, COMMIT, SET, SHOW and the like do not."""
    words = statement.split(None, 1)
    return bool(words) and words[0].upper() in _READS_OR_WRITES


def count_statements(engine: Engine) -> None:
    """Add each such statement of `engine` to its request's count; those of background work have no request."""

    @event.listens_for(engine, "before_cursor_execute")
    def _count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        request = current_request()
        if request is not None and touches_tables(statement):
            request.db_queries += 1
