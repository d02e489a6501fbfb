"""What Prometheus saw is the growth of raw counters, and NaN where there is none."""

import math

from loadtest.gate.observation import observe
from loadtest.gate.prometheus import Prometheus, Sample


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
    before = {"milliseconds_count": 100.0, 'result="hit"': 50.0, 'result="miss"': 50.0}
    after = {"milliseconds_count": 300.0, 'result="hit"': 140.0, 'result="miss"': 60.0}
    seen = observe(Recorded(before, after), "1-a", started_at=10, at=20)
    assert seen.requests == 200
    assert seen.figures.hit_rate_percent == 90
    assert seen.figures.error_rate == 1


def test_nothing_counted_is_no_figure() -> None:
    seen = observe(Recorded({}, {}), "1-a", started_at=10, at=20)
    figures = seen.figures
    assert seen.requests == 0
    assert math.isnan(figures.auth_p95_ms)
    assert math.isnan(figures.error_rate)
    assert math.isnan(figures.hit_rate_percent)
    assert math.isnan(figures.queries_per_auth_request)


def test_a_release_with_quotes_in_its_name_is_asked_for_as_it_is() -> None:
    asked: list[str] = []

    class Listening(Recorded):
        def query(self, expression: str, at: float) -> list[Sample]:
            asked.append(expression)
            return super().query(expression, at)

    observe(Listening({}, {}), 'a"b', started_at=10, at=20)
    assert all(r'{release="a\"b"}' in expression for expression in asked)
