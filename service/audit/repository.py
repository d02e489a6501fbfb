"""Writes the audit trail, always in the transaction of what it tells of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Delete, FromClause, Insert, Select, Update, insert, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.events import AuditEvent
from service.database.tables import audit_logs
from service.database.types import AnyRow
from service.ids import new_id
from service.observability.context import current_request

Change: TypeAlias = Insert | Update | Delete | Select[Any]
"""What leaves a row in the trail; a SELECT is one where something is handed out and nothing stored."""
Dependent: TypeAlias = Callable[[FromClause], Change]
"""Makes a further change out of the row that the first one touched (columns `tenant_id` and `user_id`)."""


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


@dataclass(frozen=True, slots=True)
class Recorder:
    """A connection whose changes leave a row in the trail each; `events` are those that it wrote."""

    connection: AsyncConnection
    events: list[AuditEvent] = field(default_factory=list)

    async def record(self, entry: AuditEntry, *, tenant_id: UUID, user_id: UUID | None) -> None:
        """Write a row about an event that changes nothing else."""
        values = {"tenant_id": tenant_id, "user_id": user_id, **entry.values()}
        await self.connection.execute(insert(audit_logs).values(values))
        self.events.append(entry.event)

    async def change(self, entry: AuditEntry, change: Change, *dependents: Dependent) -> Sequence[AnyRow]:
        """Carry out `change` and, if it touches rows, its dependents and one entry; give back what it returns.

        `change` must return `tenant_id` and `user_id`, the same ones for every row that it touches. PostgreSQL
        does all of it in one statement; SQLite knows no change inside WITH and needs a statement for each.
        """
        touched: Sequence[AnyRow]
        if self.connection.dialect.name == postgresql.dialect.name:
            touched = (await self.connection.execute(_one_statement(entry, change, dependents))).all()
            self.events.extend([entry.event] if touched else [])
            return touched
        touched = (await self.connection.execute(change)).all()
        if touched:
            whom = {"tenant_id": touched[0].tenant_id, "user_id": touched[0].user_id}
            for dependent in dependents:
                await self.connection.execute(dependent(select(*_literals(whom)).subquery()))
            await self.record(entry, **whom)
        return touched


def _one_statement(entry: AuditEntry, change: Change, dependents: Sequence[Dependent]) -> Select[Any]:
    touched = change.cte("touched")
    whom = select(touched.c.tenant_id, touched.c.user_id).limit(1).cte("whom")
    values = entry.values()
    row = select(*_literals(values), whom.c.tenant_id, whom.c.user_id)
    written = insert(audit_logs).from_select([*values, "tenant_id", "user_id"], row).cte("written")
    further = (dependent(whom).cte(f"further_{number}") for number, dependent in enumerate(dependents))
    return select(*touched.c).add_cte(written, *further)


def _literals(values: dict[str, Any]) -> list[Any]:
    return [literal(value, audit_logs.c[name].type).label(name) for name, value in values.items()]
