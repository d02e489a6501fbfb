"""The check that nothing is empty, against answers that are made here."""

import math
from dataclasses import dataclass, field

from dashboards import live
from dashboards.queries import Expression
from loadtest.gate.prometheus import Prometheus, Sample


@dataclass(frozen=True)
class Answers(Prometheus):
    """A Prometheus that knows its answers, an expression each; nothing to all others."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def query(self, expression: str, at: float) -> list[Sample]:
        asked = expression.removeprefix("max_over_time((").removesuffix(f")[{live.BACK}:{live.STEP}])")
        return [Sample({}, value) for value in self.values.get(asked, [])]


def found(promql: str, **values: list[float]) -> bool:
    return live.empty(Answers("http://prometheus.test", values=values), [Expression("b", "p", promql)]) == []


def test_a_number_is_data_and_zero_is_one() -> None:
    assert found("a", a=[0.0])
    assert found("a", a=[math.nan, 1.0])


def test_no_series_and_series_of_nothing_are_none() -> None:
    assert not found("a")
    assert not found("a", a=[math.nan])


def test_what_has_a_reason_may_be_empty() -> None:
    (fragment, *_) = live.NOTHING_YET
    assert found(f"count({fragment})")


def test_grafana_s_variables_are_filled_in() -> None:
    expression = Expression("b", "p", 'rate(a{path=~"$route"}[$__rate_interval])')
    assert expression.filled("2m") == 'rate(a{path=~"/api/v1/.*"}[2m])'


def test_every_reason_is_one_for_something() -> None:
    asked = [question.promql for question in live.asked()]
    assert [part for part in live.NOTHING_YET if not any(part in promql for promql in asked)] == []


def test_panels_recordings_and_what_alerts_look_at_are_asked() -> None:
    places = {question.place.split(" / ")[0] for question in live.asked()}
    assert places >= {"Janua overview", "Janua cache", "Janua database", "recordings", "alerts"}
