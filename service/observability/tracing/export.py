"""Sends traces on, in batches: no request waits for that, and the service goes on without whoever takes them."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from service.clock import Clock
from service.observability.tracing.spans import TracedRequest, spans_of

_log = logging.getLogger(__name__)

PAUSE_SECONDS = 1
MOST_WAITING = 500
_LAST_SECONDS = 5


class Outcomes(Protocol):
    """Who is told what became of traces."""

    def count_traces(self, outcome: str, number: int) -> None:
        """Count traces that were sent, or dropped."""

    def exemplify(self, traced: TracedRequest) -> None:
        """Note a request whose trace can be looked up from now on."""


class TraceExport:
    """Requests that leave a trace, until their spans were taken; more than `MOST_WAITING` are dropped."""

    def __init__(self, exporter: SpanExporter, process: Resource, outcomes: Outcomes, clock: Clock) -> None:
        self._exporter = exporter
        self._process = process
        self._outcomes = outcomes
        self._sleep = clock.sleep
        self._waiting: list[TracedRequest] = []
        self._is_up = True

    def offer(self, traced: TracedRequest) -> None:
        """Send the trace of a request with the next batch."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(traced)
        else:
            self._outcomes.count_traces("queue_full", 1)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._sleep(PAUSE_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Send what waits. What is not taken is dropped: it would be in the way of what comes after it."""
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        # The thread makes the spans as well: that is most of the work.
        reason = await asyncio.to_thread(self._send, batch)
        self._outcomes.count_traces("failed" if reason else "exported", len(batch))
        if reason is None:
            for traced in batch:
                self._outcomes.exemplify(traced)
        if self._is_up and reason:
            _log.warning("traces_not_taken", extra={"fields": {"reason": reason}})
        elif not self._is_up and not reason:
            _log.warning("traces_taken_again")
        self._is_up = reason is None

    async def close(self) -> None:
        """Send what still waits, but do not wait for it for long."""
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                await self.flush()
        except TimeoutError:
            _log.warning("traces_not_taken", extra={"fields": {"reason": "the process stopped"}})
        self._exporter.shutdown()

    def _send(self, batch: Sequence[TracedRequest]) -> str | None:
        """Send the spans of some requests; why they were not taken, None if they were."""
        try:
            spans = [span for traced in batch for span in spans_of(traced, self._process)]
            taken = self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception as error:  # noqa: BLE001 - each exporter raises what its HTTP client does
            return type(error).__name__
        return None if taken else "refused"
