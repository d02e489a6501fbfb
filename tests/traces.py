"""What traces are sent to in tests: a list instead of a backend, and the settings that make every request leave one."""

from collections.abc import Sequence

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from service.observability.tracing import export, tracer
from tests.harness import Api

NOWHERE = "http://127.0.0.1:9/api/v2/spans"
# However slow the machine is, none is slow.
EVERY = {"traces_url": NOWHERE, "traces_ratio": 1, "traces_per_second": 1000, "traces_slow_ms": 1e9}


class Kept(SpanExporter):
    """Keeps the spans; `broken` makes it fail as a backend that is away does."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.broken = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.broken:
            raise ConnectionError("nobody listens")
        self.spans += spans
        return SpanExportResult.SUCCESS

    def of(self, answer: httpx.Response) -> dict[str, ReadableSpan]:
        """The spans of the request that was answered so, by their names; the last one of each name."""
        request_id = answer.headers["x-request-id"]
        [root] = [span for span in self.spans if (span.attributes or {}).get("janua.request_id") == request_id]
        return {span.name: span for span in self.spans if trace_id(span) == trace_id(root)}


def trace_id(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """What applications that are made from now on send their spans to, when the test says so."""
    exporter = Kept()
    monkeypatch.setattr(tracer, "make_exporter", lambda _settings: exporter)
    monkeypatch.setattr(export, "PAUSE_SECONDS", 3600)
    return exporter


async def flush(api: Api) -> None:
    """Send what waits to be sent."""
    api.app.state.answered.flush()
    await api.app.state.answered.tracer.export.flush()
