"""The closed loop: each connection sends its next request when it has the answer to the last."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from bench.load.client import Client
from bench.load.requests import Request, Workload
from bench.load.samples import Samples


@dataclass(frozen=True)
class ClosedLoop:
    """Load for `seconds`, or until `requests` were answered if that is given; for throughput and costs."""

    port: int
    workload: Workload
    connections: int
    seconds: float
    requests: int | None = None

    async def run(self) -> Samples:
        """Send until the time is over, and wait for the answers that are due."""
        samples = Samples()
        started = time.monotonic()
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lanes = _Lanes(self, islice(iter(self.workload), self.requests), samples, started, ended)
        for _ in range(self.connections):
            lanes.begin()
        await ended
        samples.seconds = time.monotonic() - started
        lanes.close()
        return samples


class _Lanes:
    """The connections of one run, and what each of them waits for."""

    def __init__(
        self,
        loop: ClosedLoop,
        requests: Iterator[Request],
        samples: Samples,
        started: float,
        ended: asyncio.Future[None],
    ) -> None:
        self._loop = loop
        self._requests = requests
        self._samples = samples
        self._started = started
        self._ended = ended
        self._sent: dict[Client, tuple[Request, float]] = {}
        self._clients: list[Client] = []

    def begin(self) -> None:
        client = Client(self._loop.port, self._answered)
        self._clients.append(client)
        self._next(client, time.monotonic())

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _answered(self, client: Client, status: int, body: bytes) -> None:
        now = time.monotonic()
        request, at = self._sent.pop(client)
        self._samples.add(request, at - self._started, now - at, status, body)
        self._next(client, now)

    def _next(self, client: Client, now: float) -> None:
        request = next(self._requests, None) if now < self._started + self._loop.seconds else None
        if request is not None:
            self._sent[client] = request, now
            client.send(request.data)
        elif not self._sent and not self._ended.done():
            self._ended.set_result(None)
