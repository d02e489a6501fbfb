"""Rounds: what a load gave on one subject, and the figures that several of them make."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bench import targets
from bench.engine import Running
from bench.figures import Figure, Target
from bench.load.samples import Samples


@dataclass(frozen=True)
class Subject:
    """A program that is measured; `servers` are those whose CPU time is spent for it, too."""

    name: str
    program: Running
    servers: Mapping[str, Running] = field(default_factory=dict)

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time of the program and its servers until now."""
        return {name: part.cpu_seconds() for name, part in {"program": self.program, **self.servers}.items()}


@dataclass(frozen=True)
class Round:
    """One run of load on one subject: its samples, and the CPU time of each container in microseconds per request.

    A round is invalid if the generator did not keep up, or if what was measured is not what was to be measured.
    """

    samples: Samples
    cpu_us: Mapping[str, float]
    is_valid: bool

    @property
    def total_cpu_us(self) -> float:
        """CPU time per request of the program and its servers together."""
        return sum(self.cpu_us.values())


def over(rounds: Sequence[Round], value: Callable[[Round], float]) -> list[float]:
    """A value of each round; NaN of an invalid one."""
    return [value(each) if each.is_valid else math.nan for each in rounds]


def percentiles(
    part: str, subject: str, rounds: Sequence[Round], *, kind: str | None = None, p95: Target | None = None
) -> list[Figure]:
    """The latency's p50, p95 and p99, of one kind of requests or of all; the second may have a target."""
    columns = {percent: over(rounds, partial(_latency_ms, percent, kind)) for percent in (50, 95, 99)}
    return [
        Figure(part, subject, f"p{percent}", "ms", column, p95 if percent == 95 else None)
        for percent, column in columns.items()
    ]


def not_right(part: str, subject: str, rounds: Sequence[Round]) -> Figure:
    """How many answers were not right, of which there may be none."""
    return Figure(part, subject, "answers not right", "", [each.samples.not_right() for each in rounds], targets.NONE)


def costs(part: str, subject: str, rounds: Sequence[Round]) -> list[Figure]:
    """CPU time per request of a program and its servers: all together, and each of them."""
    columns = {name: over(rounds, partial(_cpu_us, name)) for name in rounds[0].cpu_us}
    return [
        Figure(part, subject, "CPU per request", "µs", over(rounds, lambda each: each.total_cpu_us)),
        *(Figure(part, subject, f"CPU per request, {name}", "µs", column) for name, column in columns.items()),
    ]


def _cpu_us(name: str, each: Round) -> float:
    return each.cpu_us[name]


def _latency_ms(percent: float, kind: str | None, each: Round) -> float:
    return each.samples.latency_ms(percent, kind)
