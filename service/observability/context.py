"""What is known and counted about the request that is being served."""

import time
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from service.observability.tracing.traceparent import Parent


class Operation(NamedTuple):
    """A statement, a command or a piece of work that a request waited for, in nanoseconds since 1970.

    `text` is a statement without its values, a command without its arguments: what they hold is nobody's business.
    """

    system: str
    text: str
    started: int
    ended: int
    error: str | None


INTERNAL = "janua"
"""The system of an operation that is the service's own."""


@dataclass(slots=True)
class RequestContext:
    """One request's identity and counts; whoever serves it adds to them.

    `started` is when, on the monotonic clock; operations are kept only if it may leave a trace.
    """

    request_id: str
    trace_id: str
    started: float = 0.0
    parent: Parent | None = None
    may_leave_trace: bool = False
    operations: list[Operation] | None = None
    db_queries: int = 0
    db_round_trips: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    tenant: str | None = None
    user_id: UUID | None = None


_current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def current_request() -> RequestContext | None:
    """The request that this task serves; None in background work."""
    return _current.get()


def enter_request(request: RequestContext) -> Token[RequestContext | None]:
    """Make `request` the current one; give the answer to `leave_request`."""
    return _current.set(request)


def leave_request(token: Token[RequestContext | None]) -> None:
    """Undo `enter_request`."""
    _current.reset(token)


def name_subject(tenant: str, user_id: UUID) -> None:
    """Let the request's log line tell whom it served."""
    request = current_request()
    if request is not None:
        request.tenant, request.user_id = tenant, user_id


operation_begins = time.time_ns
"""What to call before an operation, for `note_operation`."""


def note_operation(system: str, text: str, began: int, error: BaseException | None = None) -> None:
    """Let an operation that has just ended be part of its request's trace."""
    request = current_request()
    if request is None or not request.may_leave_trace:
        return
    if request.operations is None:
        request.operations = []
    reason = None if error is None else type(error).__name__
    request.operations.append(Operation(system, text, began, time.time_ns(), reason))
