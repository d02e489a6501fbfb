"""The indexes of tables that are in use, written once: the tables, the migrations and `migrations.verify` read them.

A list is history: an index of a later revision gets a list of its own.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, MetaData
from sqlalchemy.sql.base import ReadOnlyColumnCollection


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """One index: its name, its table and its columns (`DESC` after a name reverses that column)."""

    name: str
    table: str
    columns: tuple[str, ...]

    @property
    def sql(self) -> str:
        """Table and columns as SQL has them: `users (tenant_id, email)`."""
        return f"{self.table} ({', '.join(self.columns)})"


# Revision 006.
PERFORMANCE_INDEXES = (
    IndexSpec("idx_users_email", "users", ("email",)),
    IndexSpec("idx_users_tenant_email", "users", ("tenant_id", "email")),
    IndexSpec("idx_sessions_token", "sessions", ("token",)),
    IndexSpec("idx_sessions_user_active", "sessions", ("user_id", "is_active")),
    IndexSpec("idx_sessions_expires", "sessions", ("expires_at",)),
    IndexSpec("idx_audit_user_time", "audit_logs", ("user_id", "created_at DESC")),
    IndexSpec("idx_audit_tenant_time", "audit_logs", ("tenant_id", "created_at DESC")),
    IndexSpec("idx_audit_event_type", "audit_logs", ("event_type", "created_at DESC")),
)

# Revision 008: a refresh token's session, and a tenant's users page by page.
LOOKUP_INDEXES = (
    IndexSpec("ix_sessions_refresh_token", "sessions", ("refresh_token",)),
    IndexSpec("ix_users_tenant_id_id", "users", ("tenant_id", "id")),
)


def declare(metadata: MetaData, specs: tuple[IndexSpec, ...]) -> None:
    """Attach the indexes to the tables of `metadata`, for Alembic's comparison."""
    for spec in specs:
        columns = metadata.tables[spec.table].c
        Index(spec.name, *(_ordered(columns, name) for name in spec.columns))


def _ordered(columns: ReadOnlyColumnCollection[str, Column[Any]], name: str) -> ColumnElement[Any]:
    name, _, direction = name.partition(" ")
    return columns[name].desc() if direction else columns[name]
