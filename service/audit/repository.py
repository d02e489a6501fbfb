"""Writes the audit trail, always in the transaction of what it tells of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import Delete, FromClause, Insert, Select, Update, bindparam, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.events import AuditEvent
from service.database.statement import Statement
from service.database.tables import audit_logs
from service.database.types import AnyRow, Values
from service.ids import new_id
from service.observability.context import current_request

Change: TypeAlias = Insert | Update | Delete | Select[Any]
"""What leaves a row in the trail; a SELECT is one where something is handed out and nothing stored."""
Dependent: TypeAlias = Callable[[FromClause], Change]
"""Makes a further change out of the row that the first one touched (columns `tenant_id` and `user_id`)."""

_PREFIX = "audit_"
_COLUMNS = ("id", "event_type", "created_at", "request_id", "details")
_WHOM = ("tenant_id", "user_id")


class RecordedChange:
    """A change and its dependents, with the row that they leave in the trail.

    `change` must return `tenant_id` and `user_id`, the same ones for every row that it touches. To build the
    statements costs some milliseconds, to execute them a fraction of one: what happens often is built once, with
    bind parameters (whose names do not begin with `audit_`) for what differs, and carried out by `Trail.change`.
    """

    def __init__(self, change: Change, *dependents: Dependent) -> None:
        self.change = change
        self._dependents = dependents

    @cached_property
    def with_entry(self) -> Select[Any]:
        """All of it as one statement, which gives back what `change` returns: for PostgreSQL."""
        touched = self.change.cte("touched")
        whom = select(*(touched.c[name] for name in _WHOM)).limit(1).cte("whom")
        row = select(*_parameters(_COLUMNS), *(whom.c[name] for name in _WHOM))
        written = insert(audit_logs).from_select([*_COLUMNS, *_WHOM], row).cte("written")
        further = (dependent(whom).cte(f"further_{number}") for number, dependent in enumerate(self._dependents))
        return select(*touched.c).add_cte(written, *further)

    @cached_property
    def statement(self) -> Statement:
        """The same, for whoever builds the change once."""
        return Statement(self.with_entry)

    @cached_property
    def after_change(self) -> Sequence[Change]:
        """What follows `change`, statement by statement: for SQLite, which knows no change inside WITH."""
        whom = select(*_parameters(_WHOM)).subquery()
        dependents = (dependent(whom) for dependent in self._dependents)
        return [
            *dependents,
            insert(audit_logs).from_select([*_COLUMNS, *_WHOM], select(*_parameters(_COLUMNS + _WHOM))),
        ]


def _parameters(names: Sequence[str]) -> list[Any]:
    return [bindparam(_PREFIX + name, type_=audit_logs.c[name].type).label(name) for name in names]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One event: what, when and details that hold no personal data."""

    event: AuditEvent
    at: datetime
    details: dict[str, Any] = field(default_factory=dict)

    def values(self) -> Values:
        """The columns of the row, except whom it concerns."""
        request = current_request()
        row = (new_id(), self.event.value, self.at, request.request_id if request else None, self.details)
        return {_PREFIX + name: value for name, value in zip(_COLUMNS, row, strict=True)}


@dataclass(frozen=True, slots=True)
class Recorder:
    """A connection whose changes leave a row in the trail each; `events` are those that it wrote."""

    connection: AsyncConnection
    events: list[AuditEvent] = field(default_factory=list)

    async def change(
        self, entry: AuditEntry, change: RecordedChange, values: Values = MappingProxyType({})
    ) -> Sequence[AnyRow]:
        """Carry out a change with these values and, if it touches rows, record it; give back what it returns."""
        values = {**entry.values(), **values}
        touched: Sequence[AnyRow]
        if self.connection.dialect.name == postgresql.dialect.name:
            touched = (await self.connection.execute(change.with_entry, values)).all()
        else:
            touched = (await self.connection.execute(change.change, values)).all()
            for statement in change.after_change if touched else ():
                whom = {_PREFIX + name: getattr(touched[0], name) for name in _WHOM}
                await self.connection.execute(statement, {**values, **whom})
        self.events.extend([entry.event] if touched else [])
        return touched
