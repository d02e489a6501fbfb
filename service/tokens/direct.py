"""`GET /api/v1/auth/validate` from this process's memory, answered before there is a task for it.

An ASGI application is a task and two messages, which the server makes two system calls of. All that costs more than a
look-up in memory, which waits for nobody: so the server (service/server.py) asks here first, and sends what it
gets in one piece. Whatever is not a plain success is left to `ValidateEndpoint`, which answers the same request in
the same way. `make bench` has the figures.
"""

from collections.abc import Sequence

from starlette.types import Scope

from service.clock import Clock
from service.observability.context import RequestContext, enter_request, leave_request, name_subject
from service.observability.metrics import Metrics
from service.observability.middleware import NO_STORE
from service.observability.tracking import Header, Tracking
from service.sessions.identities import Identities
from service.tokens.validate import PATH, read_credentials

_STATUS_LINE = b"HTTP/1.1 200 OK\r\n"


class DirectValidation:
    """Answers from memory, with the telemetry of every other request."""

    def __init__(self, identities: Identities, metrics: Metrics, clock: Clock, tracking: Tracking) -> None:
        self._identities = identities
        self._metrics = metrics
        self._monotonic = clock.monotonic
        self._tracking = tracking

    def __call__(self, scope: Scope, server_headers: Sequence[Header]) -> bytes | None:
        """The whole response with the server's own headers, or None if this request is not one for here."""
        if scope["path"] != PATH or scope["method"] != "GET":
            return None
        request = self._tracking.begin(scope["headers"])
        token = enter_request(request)
        try:
            return self._respond(request, scope, server_headers)
        finally:
            leave_request(token)

    def _respond(self, request: RequestContext, scope: Scope, server_headers: Sequence[Header]) -> bytes | None:
        found = self._identities.glimpse(*read_credentials(scope))
        if found is None:
            return None
        self._metrics.observe_operation("validate", self._monotonic() - request.started)
        name_subject(found.tenant, found.user_id)
        headers = (*server_headers, *found.answer.headers, *self._tracking.headers(request), NO_STORE)
        lines = [b"%b: %b\r\n" % header for header in headers]
        self._tracking.end(request, "GET", PATH, 200)
        return b"".join((_STATUS_LINE, *lines, b"\r\n", found.answer.body))
