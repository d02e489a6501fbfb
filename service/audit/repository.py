"""Writes the audit trail, always in the transaction of what it tells of."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, Update, insert, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.events import AuditEvent
from service.database.tables import audit_logs
from service.ids import new_id
from service.observability.context import current_request


@dataclass(frozen=True, slots=True)
class Change:
    """Whom a change concerned: what it returns of the row that it touched."""

    tenant_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One event: what, when and details that hold no personal data."""

    event: AuditEvent
    at: datetime
    details: dict[str, Any] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """The columns of the row, except whom it concerns."""
        request = current_request()
        return {
            "id": new_id(),
            "event_type": self.event.value,
            "created_at": self.at,
            "request_id": request.request_id if request else None,
            "details": self.details,
        }


async def record(connection: AsyncConnection, entry: AuditEntry, *, tenant_id: UUID, user_id: UUID | None) -> None:
    """Write a row about an event that changes nothing else."""
    await connection.execute(insert(audit_logs).values(tenant_id=tenant_id, user_id=user_id, **entry.values()))


async def change_and_record(
    connection: AsyncConnection, entry: AuditEntry, change: Insert | Update, *also: Insert
) -> Change | None:
    """Carry out `change` and, for the row that it touches, `also` and the entry; None if it touches no row.

    `change` must name tenants and users as `tenant_id` and `user_id` in what it returns. PostgreSQL does all
    of it in one statement; SQLite knows no INSERT or UPDATE inside WITH and needs one statement for each.
    """
    if connection.dialect.name == postgresql.dialect.name:
        return await _in_one_statement(connection, entry, change, also)
    touched = (await connection.execute(change)).one_or_none()
    if touched is None:
        return None
    for statement in also:
        await connection.execute(statement)
    await record(connection, entry, tenant_id=touched.tenant_id, user_id=touched.user_id)
    return Change(touched.tenant_id, touched.user_id)


async def _in_one_statement(
    connection: AsyncConnection, entry: AuditEntry, change: Insert | Update, also: tuple[Insert, ...]
) -> Change | None:
    touched = change.cte("change")
    values = entry.values()
    literals = [literal(value, audit_logs.c[name].type) for name, value in values.items()]
    rows = select(*literals, touched.c.tenant_id, touched.c.user_id)
    statement = (
        insert(audit_logs)
        .from_select([*values, "tenant_id", "user_id"], rows)
        .add_cte(*(extra.cte(f"also_{number}") for number, extra in enumerate(also)))
        .returning(audit_logs.c.tenant_id, audit_logs.c.user_id)
    )
    row = (await connection.execute(statement)).one_or_none()
    return Change(row.tenant_id, row.user_id) if row else None
