"""What Prometheus saw is the growth of raw counters, and NaN where there is none."""

import math

import pytest

from alerts.metrics import CACHE_HITS, CACHE_MISSES
from loadtest.gate.candidates import Candidates, resolve
from loadtest.gate.observation import observe
from loadtest.gate.prometheus import Prometheus, Sample

CANDIDATES = Candidates("1-a", ("a:8000",))


class Recorded(Prometheus):
    """A Prometheus that knows one replica's counters at two moments."""

    def __init__(self, before: dict[str, float], after: dict[str, float]) -> None:
        super().__init__("http://prometheus:9090")
        object.__setattr__(self, "counters", {10.0: before, 20.0: after})

    def query(self, expression: str, at: float) -> list[Sample]:
        if expression.startswith("timestamp("):
            return [Sample({"instance": "a:8000"}, at)]
        counters: dict[str, float] = self.counters[at]  # type: ignore[attr-defined]
        return [
            Sample({"instance": "a:8000", "le": "+Inf"}, value)
            for part, value in counters.items()
            if part in expression
        ]


def test_figures_are_differences() -> None:
    before = {"milliseconds_count": 100.0, CACHE_HITS: 50.0, CACHE_MISSES: 50.0}
    after = {"milliseconds_count": 300.0, CACHE_HITS: 140.0, CACHE_MISSES: 60.0}
    seen = observe(Recorded(before, after), CANDIDATES, started_at=10, at=20)
    assert seen.requests == 200
    assert seen.figures.hit_rate_percent == 90
    assert seen.figures.error_rate == 1


def test_nothing_counted_is_no_figure() -> None:
    seen = observe(Recorded({}, {}), CANDIDATES, started_at=10, at=20)
    figures = seen.figures
    assert seen.requests == 0
    assert math.isnan(figures.auth_p95_ms)
    assert math.isnan(figures.error_rate)
    assert math.isnan(figures.hit_rate_percent)
    assert math.isnan(figures.queries_per_auth_request)


def test_only_the_candidates_are_asked_for() -> None:
    asked: list[str] = []

    class Listening(Recorded):
        def query(self, expression: str, at: float) -> list[Sample]:
            asked.append(expression)
            return super().query(expression, at)

    observe(Listening({}, {}), Candidates('a"b', ("10.0.0.1:8000", "10.0.0.2:8000")), started_at=10, at=20)
    selector = r'{release="a\"b",instance=~"10\\.0\\.0\\.1:8000|10\\.0\\.0\\.2:8000"}'
    assert all(selector in expression for expression in asked)


def test_replicas_are_named_by_their_addresses() -> None:
    assert resolve("localhost:8000, 10.0.0.2:81") == ("127.0.0.1:8000", "10.0.0.2:81")


@pytest.mark.parametrize("wrong", ["", "localhost", "localhost:http", "no-such-host.invalid:80"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"REPLICAS must be|has no address"):
        resolve(wrong)
