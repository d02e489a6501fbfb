"""Decides over requests that were answered."""

from collections.abc import Iterable

from service.clock import Clock
from service.observability.request_log import Answered
from service.observability.tracing.export import Outcomes, TraceExport
from service.observability.tracing.exporter import make_exporter
from service.observability.tracing.sampling import Sampling
from service.observability.tracing.spans import TracedRequest, describe_process
from service.settings import Settings


class Tracer:
    """Hands requests that are to leave a trace to the export; `export` has work for the background."""

    def __init__(self, settings: Settings, outcomes: Outcomes, clock: Clock) -> None:
        self.export = TraceExport(make_exporter(settings), describe_process(settings.release), outcomes, clock)
        self._sampling = Sampling(settings, clock)
        self._outcomes = outcomes

    def choose(self, answered: Iterable[Answered], epoch: float) -> None:
        """Let those leave a trace that are to; `epoch` is the time at which their clock was zero."""
        for request, method, path, status, milliseconds in answered:
            reason = self._sampling.reason(request, status, milliseconds)
            if reason is None:
                continue
            if self._sampling.has_room(reason):
                started = int(1e9 * (epoch + request.started))
                self.export.offer(TracedRequest(request, reason, method, path, status, milliseconds, started))
            else:
                self._outcomes.count_traces("too_many", 1)


def make_tracer(settings: Settings, outcomes: Outcomes, clock: Clock) -> Tracer | None:
    """The tracer, if traces are to be sent anywhere."""
    return Tracer(settings, outcomes, clock) if settings.traces_url else None
