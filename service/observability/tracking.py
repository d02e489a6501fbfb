"""What is measured of every request, whoever serves it: four headers, the metrics, one log line and perhaps a trace."""

import math
import os
import re
from collections.abc import Iterable

from service.clock import Clock
from service.observability.answered import AnsweredRequests
from service.observability.context import RequestContext
from service.observability.metrics import Metrics
from service.observability.tracing.traceparent import read_traceparent

Header = tuple[bytes, bytes]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Tracking:
    """Follows requests from their first byte to the last of their answers."""

    def __init__(self, metrics: Metrics, clock: Clock, answered: AnsweredRequests) -> None:
        self._metrics = metrics
        self._monotonic = clock.monotonic
        self._answered = answered
        self._may_leave_traces = answered.tracer is not None

    def begin(self, headers: Iterable[Header]) -> RequestContext:
        """Take over the request's and the trace's id if they are well formed, else make new ones."""
        started = self._monotonic()
        request_id, parent = b"", None
        for name, value in headers:
            if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                request_id = value
            elif name == b"traceparent":
                parent = read_traceparent(value)
        new = os.urandom(32).hex()  # one draw for both: 0.4 µs instead of 1
        trace_id = parent.trace_id if parent else new[32:]
        return RequestContext(request_id.decode() or new[:32], trace_id, started, parent, self._may_leave_traces)

    def headers(self, request: RequestContext) -> tuple[Header, ...]:
        """The headers that tell of the request, up to now."""
        rate = self._metrics.hit_rate.percent()
        return (
            (b"x-request-id", request.request_id.encode()),
            (b"x-response-time", b"%.2fms" % (1000 * (self._monotonic() - request.started))),
            (b"x-db-queries", b"%d" % request.db_queries),
            (b"x-cache-hit-rate", b"%.1f%%" % (0.0 if math.isnan(rate) else rate)),
        )

    def end(self, request: RequestContext, method: str, path: str, status: int) -> None:
        """Count a request, and let it be logged and perhaps traced. `path` is the route's template."""
        milliseconds = 1000 * (self._monotonic() - request.started)
        known = method if method in _METHODS else "<other>"
        self._metrics.count_request(request, known, path, status, milliseconds)
        self._answered.add((request, known, path, status, milliseconds))
