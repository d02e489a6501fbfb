"""What a run of the load generator gives: one sample for each request that was sent."""

import math
from array import array
from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum

from bench.arithmetic import percentile
from bench.load.client import LOST
from bench.load.requests import Request

_TOO_MANY = 429
_SHOWN_BYTES = 200
_TOLERATED_LATE_PERCENT = 2.0


class Outcome(IntEnum):
    """What an answer was worth.

    WRONG says something that is not so: another user, or that a valid token is none. FAILED says nothing: 5xx, 429,
    or no answer at all.
    """

    RIGHT = 0
    WRONG = 1
    FAILED = 2


def judge(request: Request, status: int, body: bytes) -> Outcome:
    """What an answer to a request is worth."""
    if status == request.status and request.contains in body:
        return Outcome.RIGHT
    return Outcome.FAILED if status in (LOST, _TOO_MANY) or status >= 500 else Outcome.WRONG


@dataclass
class Samples:
    """Columns of equal length, in the order of the answers; times are seconds.

    `at` is when a request was to be sent, counted from the run's beginning, `latency` what passed from then to its
    answer, `kind` an index of `kinds`. `first_not_right` is the beginning of the
    first answer that was not right, for people. `late` counts requests that the generator itself took up too late, and
    `generator_cpu_seconds` is its own CPU time: what it needs it takes from those that it measures.
    """

    kinds: list[str] = field(default_factory=list)
    kind: "array[int]" = field(default_factory=lambda: array("B"))
    at: "array[float]" = field(default_factory=lambda: array("d"))
    latency: "array[float]" = field(default_factory=lambda: array("d"))
    outcome: "array[int]" = field(default_factory=lambda: array("B"))
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    first_not_right: str = ""
    late: int = 0
    seconds: float = 0
    generator_cpu_seconds: float = 0

    def add(self, request: Request, at: float, latency: float, status: int, body: bytes) -> None:
        """Take in an answer."""
        if request.kind not in self.kinds:
            self.kinds.append(request.kind)
        self.kind.append(self.kinds.index(request.kind))
        self.at.append(at)
        self.latency.append(latency)
        outcome = judge(request, status, body)
        self.outcome.append(outcome)
        if outcome is not Outcome.RIGHT and not self.first_not_right:
            self.first_not_right = f"{status} {body[:_SHOWN_BYTES].decode(errors='replace')}"
        self.statuses[request.kind, status] += 1

    def count(self, kind: str | None = None) -> int:
        """How many requests were sent, of one kind or of all."""
        return len(self.kind) if kind is None else sum(n for (of, _), n in self.statuses.items() if of == kind)

    def outcomes(self, outcome: Outcome) -> int:
        """How many answers were worth that."""
        return self.outcome.count(outcome)

    def not_right(self) -> int:
        """How many answers were wrong or failed."""
        return self.count() - self.outcomes(Outcome.RIGHT)

    def server_errors(self) -> int:
        """How many answers were 5xx, or did not come."""
        return sum(n for (_, status), n in self.statuses.items() if status == LOST or status >= 500)

    def error_percent(self) -> float:
        """How many of a hundred answers were not right; NaN without any."""
        return 100 * self.not_right() / self.count() if self.count() else math.nan

    def late_percent(self) -> float:
        """How many of a hundred requests the generator took up too late."""
        return 100 * self.late / self.count() if self.count() else math.nan

    def is_late(self) -> bool:
        """Whether the generator was late so often that a p95 may be its own and not the server's."""
        return self.late_percent() > _TOLERATED_LATE_PERCENT

    def rate(self) -> float:
        """Answers in a second."""
        return self.count() / self.seconds if self.seconds else math.nan

    def latency_ms(self, percent: float, kind: str | None = None) -> float:
        """A percentile of the latency in milliseconds, of one kind of requests or of all."""
        return 1000 * percentile(sorted(self._latencies(kind)), percent)

    def _latencies(self, kind: str | None) -> list[float]:
        if kind is None:
            return list(self.latency)
        wanted = self.kinds.index(kind) if kind in self.kinds else -1
        return [seconds for seconds, index in zip(self.latency, self.kind, strict=True) if index == wanted]
