"""The route of the audit trail: parse, call, answer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from service import problems
from service.access import Caller, requires
from service.audit.events import AuditEvent
from service.audit.models import AuditFilter, AuditRecord, Instant
from service.audit.queries import CURSOR_DIGITS, Position, list_records
from service.database.engine import Database
from service.documentation import WITH_QUERY, WITH_TOKEN
from service.pagination import DEFAULT_LIMIT, Limit, Page, cursor_parameter
from service.parts import part
from service.problems import problem_responses

router = APIRouter(prefix="/api/v1/audit-logs", tags=["audit"])


async def _filter(
    user_id: Annotated[UUID | None, Query(description="Only what concerns this user.")] = None,
    event_type: Annotated[AuditEvent | None, Query(description="Only events of this type.")] = None,
    since: Annotated[Instant | None, Query(alias="from", description="Nothing from before this time.")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Nothing from this time on.")] = None,
) -> AuditFilter:
    return AuditFilter(user_id, event_type, since, until)


async def _position(cursor: Annotated[str | None, cursor_parameter(CURSOR_DIGITS)] = None) -> Position | None:
    return None if cursor is None else Position.of_cursor(cursor)


@router.get("", responses=problem_responses(problems.forbidden("audit:read"), *WITH_TOKEN, *WITH_QUERY))
async def list_audit_logs(
    database: Annotated[Database, part("database")],
    caller: Annotated[Caller, requires("audit:read")],
    wanted: Annotated[AuditFilter, Depends(_filter)],
    position: Annotated[Position | None, Depends(_position)],
    limit: Limit = DEFAULT_LIMIT,
) -> Page[AuditRecord]:
    """The audit trail of the caller's tenant, the newest events first."""
    async with database.reading(caller.subject.scope) as connection:
        return await list_records(connection, caller.tenant_id, wanted, position, limit)
