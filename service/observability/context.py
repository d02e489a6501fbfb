"""What is known and counted about the request that is being served."""

from contextvars import ContextVar, Token
from dataclasses import dataclass
from uuid import UUID


@dataclass(slots=True)
class RequestContext:
    """One request's identity and counts; whoever serves it adds to them.

    `started` is when, on the monotonic clock.
    """

    request_id: str
    trace_id: str
    started: float = 0.0
    db_queries: int = 0
    db_round_trips: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    tenant: str | None = None
    user_id: UUID | str | None = None


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


def name_subject(tenant: str, user_id: UUID | str) -> None:
    """Let the request's log line tell whom it served."""
    request = current_request()
    if request is not None:
        request.tenant, request.user_id = tenant, user_id
