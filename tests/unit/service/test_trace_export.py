"""What becomes of traces: sent in batches, or dropped and counted; nobody waits, whoever is away."""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from service.clock import ManualClock
from service.observability.context import RequestContext
from service.observability.tracing import export
from service.observability.tracing.export import MOST_WAITING, PAUSE_SECONDS, TraceExport
from service.observability.tracing.exporter import make_exporter
from service.observability.tracing.spans import TracedRequest, describe_process
from service.settings import Settings
from tests.traces import Kept


class Outcomes:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: list[TracedRequest] = []
        self.told = asyncio.Event()

    def count_traces(self, outcome: str, number: int) -> None:
        self.counts[outcome] += number
        self.told.set()

    def exemplify(self, traced: TracedRequest) -> None:
        self.examples.append(traced)


def traced() -> TracedRequest:
    return TracedRequest(RequestContext("id", "a" * 32), "slow", "GET", "/x", 200, 300, 10**18)


def exporting(exporter: Kept, outcomes: Outcomes, clock: ManualClock | None = None) -> TraceExport:
    return TraceExport(exporter, describe_process("test"), outcomes, clock or ManualClock())


async def test_what_was_offered_is_sent_together_after_a_pause() -> None:
    exporter, outcomes, clock = Kept(), Outcomes(), ManualClock()
    exports = exporting(exporter, outcomes, clock)
    work = asyncio.create_task(exports.run())
    await asyncio.sleep(0)
    for _ in range(2):
        exports.offer(traced())
    assert not exporter.spans
    clock.advance(PAUSE_SECONDS)
    async with asyncio.timeout(10):
        await outcomes.told.wait()
    await asyncio.sleep(0)
    assert len(exporter.spans) == len(outcomes.examples) == outcomes.counts["exported"] == 2
    work.cancel()


async def test_nothing_is_asked_of_the_exporter_for_nothing() -> None:
    exporter, outcomes = Kept(), Outcomes()
    exporter.broken = True
    await exporting(exporter, outcomes).flush()
    assert not outcomes.counts


async def test_what_is_not_taken_is_dropped_counted_and_no_example(caplog: pytest.LogCaptureFixture) -> None:
    exporter, outcomes = Kept(), Outcomes()
    exports = exporting(exporter, outcomes)
    exporter.broken = True
    for _ in range(3):
        exports.offer(traced())
        await exports.flush()
    assert outcomes.counts == {"failed": 3}
    assert not outcomes.examples
    exporter.broken = False
    exports.offer(traced())
    await exports.flush()
    assert outcomes.counts == {"failed": 3, "exported": 1}
    # Once each, however long it lasts.
    assert [record.message for record in caplog.records] == ["traces_not_taken", "traces_taken_again"]


async def test_where_nobody_listens_traces_are_dropped(unused_tcp_port: int) -> None:
    outcomes = Outcomes()
    settings = Settings(traces_url=f"http://127.0.0.1:{unused_tcp_port}/api/v2/spans")
    exports = TraceExport(make_exporter(settings), describe_process("test"), outcomes, ManualClock())
    exports.offer(traced())
    await exports.flush()
    assert outcomes.counts == {"failed": 1}


async def test_a_refusal_counts_as_a_failure() -> None:
    class Refusing(Kept):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return SpanExportResult.FAILURE

    outcomes = Outcomes()
    exports = exporting(Refusing(), outcomes)
    exports.offer(traced())
    await exports.flush()
    assert outcomes.counts == {"failed": 1}


async def test_more_than_the_queue_holds_is_dropped_and_counted() -> None:
    exporter, outcomes = Kept(), Outcomes()
    exports = exporting(exporter, outcomes)
    for _ in range(MOST_WAITING + 3):
        exports.offer(traced())
    assert outcomes.counts == {"queue_full": 3}
    await exports.flush()
    assert len(exporter.spans) == outcomes.counts["exported"] == MOST_WAITING


async def test_the_loop_goes_on_while_a_backend_does_not_answer_and_the_end_is_not_held_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = threading.Event()

    class Silent(Kept):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            release.wait(5)
            return super().export(spans)

    monkeypatch.setattr(export, "_LAST_SECONDS", 0.01)
    silent = Silent()
    exports = exporting(silent, Outcomes())
    exports.offer(traced())
    try:
        await exports.close()
        assert not silent.spans
    finally:
        release.set()
