"""What the audit trail looks like from outside, and what can be asked of it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field

from service.audit.events import AuditEvent

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _written_out(text: str) -> str:
    """Refuse what is no instant, though pydantic would make one of it: a number, a time without its zone."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError("must be a time of RFC 3339 with its zone, such as 2026-01-01T12:00:00Z")
    return text


def in_utc(moment: datetime) -> datetime:
    """The same instant in UTC, or the nearest that there is: at the ends of the calendar some have no such form."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(in_utc)]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are asked for: those of `since` too, those of `until` not any more."""

    user_id: UUID | None = None
    event_type: AuditEvent | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditRecord(BaseModel):
    """One event: what, whom it concerns, when, in which request, and what belongs to it."""

    id: UUID = Field(examples=["0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012"])
    # Text, too: while a release is rolled out, or back, there may be events that this one does not know.
    event_type: AuditEvent | str = Field(examples=["roles_changed"])
    user_id: UUID | None = Field(
        description="Null where there is no such user, as with a failed login.",
        examples=["0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9013"],
    )
    created_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])
    request_id: str | None = Field(examples=["0193f2b0c4de7a6f9d1c3b5a7e8f9012"])
    details: dict[str, Any] = Field(examples=[{"added": ["auditor"], "removed": []}])
