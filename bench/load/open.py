"""The open loop: requests come at a constant rate, however long the answers take.

A closed loop stops asking while the server stalls, and so does not see the stall. Here latency counts from when a
request was to be sent, whether it was sent then or had to wait for a connection.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from bench.load.client import LOST, Client
from bench.load.requests import Request, Workload
from bench.load.samples import Samples
from bench.load.ticks import ticks

# What is taken up later than this was delayed by the generator and not by the server.
LATE_SECONDS = 0.002
_ANSWER_SECONDS = 30
_Due: TypeAlias = tuple[Request, float]


@dataclass(frozen=True)
class OpenLoop:
    """So many requests a second for `seconds`, over at most so many connections."""

    port: int
    workload: Workload
    connections: int
    rate: float
    seconds: float

    async def run(self) -> Samples:
        """Send at the rate, and wait for the answers that are due; whoever has none after 30 s counts as lost."""
        line = Line(self, time.monotonic)
        with ticks(1 / self.rate, line.tick):
            await line.all_sent
        await asyncio.wait([line.all_answered], timeout=_ANSWER_SECONDS)
        return line.close()


class Line:
    """The requests that are due, the connections that are free, and what was answered."""

    def __init__(self, load: OpenLoop, clock: Callable[[], float]) -> None:
        loop = asyncio.get_running_loop()
        self.all_sent: asyncio.Future[None] = loop.create_future()
        self.all_answered: asyncio.Future[None] = loop.create_future()
        self._clock = clock
        self._rate = load.rate
        self._requests: Iterator[Request] = iter(load.workload)
        self._wanted = round(load.rate * load.seconds)
        self._taken = 0
        self._free = [Client(load.port, self._answered) for _ in range(load.connections)]
        self._clients = list(self._free)
        self._waiting: deque[_Due] = deque()
        self._sent: dict[Client, _Due] = {}
        self._samples = Samples()
        self._started = clock()

    def tick(self) -> None:
        """Take up every request that is due by now."""
        now = self._clock()
        due = min(self._wanted, int((now - self._started) * self._rate) + 1)
        while self._taken < due:
            at = self._started + self._taken / self._rate
            self._taken += 1
            self._samples.late += now - at > LATE_SECONDS
            self._waiting.append((next(self._requests), at))
        self._send()
        if self._taken == self._wanted and not self.all_sent.done():
            self.all_sent.set_result(None)

    def close(self) -> Samples:
        """End the run: what is still without an answer is lost."""
        now = self._clock()
        for client in self._clients:
            client.close()
        for request, at in (*self._sent.values(), *self._waiting):
            self._samples.add(request, at - self._started, now - at, LOST, b"")
        self._samples.seconds = now - self._started
        return self._samples

    def _send(self) -> None:
        while self._waiting and self._free:
            client = self._free.pop()
            due = self._sent[client] = self._waiting.popleft()
            client.send(due[0].data)

    def _answered(self, client: Client, status: int, body: bytes) -> None:
        request, at = self._sent.pop(client)
        self._samples.add(request, at - self._started, self._clock() - at, status, body)
        self._free.append(client)
        self._send()
        if not self._sent and self.all_sent.done() and not self.all_answered.done():
            self.all_answered.set_result(None)
