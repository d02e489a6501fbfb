"""Reads the audit trail page by page, the newest first."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.models import AuditFilter, AuditRecord
from service.database.tables import audit_logs
from service.database.types import UtcDateTime
from service.pagination import ID_DIGITS, Page

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_DIGITS = 14  # of microseconds since 1970: until the year 4253
CURSOR_DIGITS = _TIME_DIGITS + ID_DIGITS


@dataclass(frozen=True, slots=True)
class Position:
    """Where an event stands in the trail. Several may have the same time: the id tells them apart."""

    created_at: datetime
    id: UUID

    @classmethod
    def of_cursor(cls, cursor: str) -> Self:
        """The place that a page ended at."""
        microseconds = int(cursor[:_TIME_DIGITS], 16)
        return cls(_EPOCH + timedelta(microseconds=microseconds), UUID(hex=cursor[_TIME_DIGITS:]))

    @property
    def cursor(self) -> str:
        """The same as clients see it."""
        microseconds = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return f"{microseconds:0{_TIME_DIGITS}x}{self.id.hex}"


async def list_records(
    connection: AsyncConnection, tenant_id: UUID, wanted: AuditFilter, after: Position | None, limit: int
) -> Page[AuditRecord]:
    """One page of a tenant's trail."""
    rows = (await connection.execute(records_page(tenant_id, wanted, after, limit + 1))).all()
    records = [AuditRecord(**row._mapping) for row in rows]
    return Page[AuditRecord].cut(records, limit, lambda record: Position(record.created_at, record.id).cursor)


def records_page(tenant_id: UUID, wanted: AuditFilter, after: Position | None, limit: int) -> Select[Any]:
    """The statement of a page, in a form that the indexes of revision 006 serve."""
    columns = (column for column in audit_logs.c if column.name in AuditRecord.model_fields)
    return (
        select(*columns)
        .where(audit_logs.c.tenant_id == tenant_id, *_conditions(wanted, after))
        .order_by(audit_logs.c.created_at.desc(), audit_logs.c.id.desc())
        .limit(limit)
    )


def _conditions(wanted: AuditFilter, after: Position | None) -> list[ColumnElement[bool]]:
    created_at = audit_logs.c.created_at
    conditions: list[ColumnElement[bool]] = []
    if wanted.user_id is not None:
        conditions.append(audit_logs.c.user_id == wanted.user_id)
    if wanted.event_type is not None:
        conditions.append(audit_logs.c.event_type == wanted.event_type.value)
    if wanted.since is not None:
        conditions.append(created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(created_at < wanted.until)
    if after is not None:
        # The first one says less than the second, but it is what an index on the time alone can begin with.
        conditions.append(created_at <= after.created_at)
        place = tuple_(literal(after.created_at, UtcDateTime), literal(after.id, Uuid))
        conditions.append(tuple_(created_at, audit_logs.c.id) < place)
    return conditions
