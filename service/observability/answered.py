"""What is done about requests once they were answered: for all that end within a moment together.

Between two requests the processor has forgotten the code that is rarely run, and everything costs several times what it
costs in a loop. So a request leaves no more than itself here; its log line is written, and whether it leaves a trace is
decided, a moment later.
"""

import asyncio
import time

from service.clock import Clock
from service.observability import request_log
from service.observability.request_log import Answered
from service.observability.tracing.tracer import Tracer

# How long requests may wait for others. The reader of a pipe is not woken for each line either, which takes 7 µs.
PAUSE_SECONDS = 0.02


class AnsweredRequests:
    """Those whose lines were not written yet, and which may leave traces if there is a tracer."""

    def __init__(self, clock: Clock, tracer: Tracer | None = None) -> None:
        self.tracer = tracer
        self._monotonic = clock.monotonic
        self._waiting: list[Answered] = []

    def add(self, answered: Answered) -> None:
        """Let a request be logged, if the level lets it pass, and perhaps traced."""
        if not self._waiting:
            if self.tracer is None and not request_log.is_on():
                return
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self.flush)
        self._waiting.append(answered)

    def flush(self) -> None:
        """Do what was not done yet."""
        answered, self._waiting = self._waiting, []
        # Requests are timed by the one clock and told of by the other: what lies between them now.
        epoch = time.time() - self._monotonic()
        if self.tracer is not None:
            self.tracer.choose(answered, epoch)
        if answered and request_log.is_on():
            request_log.write(answered, epoch)

    async def close(self) -> None:
        """Do what was not done yet, and send the traces that were not sent; to be called at the end."""
        self.flush()
        if self.tracer is not None:
            await self.tracer.export.close()
            self.flush()  # a request that was cut off has ended meanwhile
