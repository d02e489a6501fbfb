"""Builds and drops indexes of tables that are in use: on PostgreSQL without keeping anyone from writing.

To be used by a revision that does nothing else: what runs online is in no transaction, and a run that failed
half-way is mended by running it again.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

from service.database.indexes import IndexSpec

# An index that is built online waits for every transaction that was there before it: rather fail than wait
# behind a forgotten one. What is left then is INVALID, and the next run drops it first.
_LOCK_TIMEOUT = "30s"
_STATEMENT_TIMEOUT = "30min"

_LEFT_OVER = text(
    """
    SELECT c.relname FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND NOT i.indisvalid AND c.relname = ANY(:names)
    """
)


def build_indexes(indexes: Sequence[IndexSpec]) -> None:
    """Build the indexes that are not there yet."""
    if op.get_context().dialect.name != "postgresql":
        for index in indexes:
            op.execute(f"CREATE INDEX {index.name} ON {index.sql}")
        return
    with op.get_context().autocommit_block():
        _set_timeouts()
        names = [index.name for index in indexes]
        for name in op.get_bind().execute(_LEFT_OVER, {"names": names}).scalars().all():
            op.execute(f"DROP INDEX CONCURRENTLY {name}")
        for index in indexes:
            # IF NOT EXISTS passes over those that an interrupted run finished: the INVALID ones are gone by now.
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index.name} ON {index.sql}")
        _reset_timeouts()


def drop_indexes(indexes: Sequence[IndexSpec]) -> None:
    """Drop the indexes."""
    if op.get_context().dialect.name != "postgresql":
        for index in reversed(indexes):
            op.execute(f"DROP INDEX {index.name}")
        return
    with op.get_context().autocommit_block():
        _set_timeouts()
        for index in reversed(indexes):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}")
        _reset_timeouts()


def _set_timeouts() -> None:
    op.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
    op.execute(f"SET statement_timeout = '{_STATEMENT_TIMEOUT}'")


def _reset_timeouts() -> None:
    op.execute("RESET lock_timeout")
    op.execute("RESET statement_timeout")
