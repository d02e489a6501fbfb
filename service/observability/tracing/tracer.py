"""Decides over each request that has ended."""

import time

from service.clock import Clock
from service.observability.context import RequestContext
from service.observability.tracing.export import Outcomes, TraceExport
from service.observability.tracing.exporter import make_exporter
from service.observability.tracing.sampling import Sampling
from service.observability.tracing.spans import Ended, describe_process
from service.settings import Settings


class Tracer:
    """Hands requests that are to leave a trace to the export; `export` has work for the background."""

    def __init__(self, settings: Settings, outcomes: Outcomes, clock: Clock) -> None:
        self.export = TraceExport(make_exporter(settings), describe_process(settings.release), outcomes, clock)
        self._sampling = Sampling(settings, clock)
        self._outcomes = outcomes
        self._monotonic = clock.monotonic

    def finish(self, request: RequestContext, method: str, path: str, status: int, milliseconds: float) -> None:
        """Let a request that has ended leave a trace, if it is one of those. `path` is the route's template."""
        reason = self._sampling.reason(request, status, milliseconds)
        if reason is None:
            return
        if self._sampling.has_room():
            # Both clocks are read at once: operations are timed by the one, requests by the other.
            started = time.time_ns() - int(1e9 * (self._monotonic() - request.started))
            self.export.offer(Ended(request, reason, method, path, status, milliseconds, started))
        else:
            self._outcomes.count_traces("too_many", 1)


def make_tracer(settings: Settings, outcomes: Outcomes, clock: Clock) -> Tracer | None:
    """The tracer, if traces are to be sent anywhere."""
    return Tracer(settings, outcomes, clock) if settings.traces_url else None
