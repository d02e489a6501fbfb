"""Plain counters and histograms say what prometheus-client's own would say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.samples import Exemplar

from service.observability.plain import PlainCounter, PlainHistogram

BOUNDARIES = (1, 2.5, 10, 10_000)
LABELS = st.tuples(st.sampled_from(["a", 'with "quotes"\n']), st.sampled_from([200, 404]))
VALUES = st.floats(0, 20_000) | st.sampled_from(BOUNDARIES)


@given(st.lists(st.tuples(LABELS, VALUES)))
def test_a_histogram_says_the_same(observations: list[tuple[tuple[str, int], float]]) -> None:
    plain, usual = CollectorRegistry(), CollectorRegistry()
    ours = PlainHistogram("h", "help", ["path", "status"], BOUNDARIES, plain)
    theirs = Histogram("h", "help", ["path", "status"], buckets=BOUNDARIES, registry=usual)
    for labels, value in observations:
        ours.observe(labels, value)
        theirs.labels(*labels).observe(value)
    assert generate_latest(plain) == generate_latest(usual)


@given(st.lists(st.tuples(LABELS, st.integers(0, 5))))
def test_a_counter_says_the_same(additions: list[tuple[tuple[str, int], int]]) -> None:
    plain, usual = CollectorRegistry(), CollectorRegistry()
    ours = PlainCounter("c", "help", ["path", "status"], plain)
    theirs = Counter("c", "help", ["path", "status"], registry=usual)
    for labels, number in additions:
        ours.add(labels, number)
        theirs.labels(*labels).inc(number)
    assert generate_latest(plain) == generate_latest(usual)


def test_series_can_exist_before_anything_is_counted() -> None:
    registry = CollectorRegistry()
    counter = PlainCounter("c", "help", ["path"], registry)
    histogram = PlainHistogram("h", "help", ["path"], BOUNDARIES, registry)
    for _ in range(2):
        counter.exist(("x",))
        histogram.exist(("x",))
        assert registry.get_sample_value("c_total", {"path": "x"}) == counter.value(("x",)) == 0
        assert registry.get_sample_value("h_count", {"path": "x"}) == 0
    counter.add(("x",), 2)
    histogram.observe(("x",), 3)
    counter.exist(("x",))
    histogram.exist(("x",))
    assert counter.value(("x",)) == 2
    assert registry.get_sample_value("h_sum", {"path": "x"}) == 3


@pytest.mark.parametrize(("value", "boundary"), [(0.5, "1.0"), (1, "1.0"), (2, "2.5"), (20_000, "+Inf")])
def test_an_exemplar_stands_where_its_value_was_counted(value: float, boundary: str) -> None:
    registry = CollectorRegistry()
    histogram = PlainHistogram("h", "help", ["path"], BOUNDARIES, registry)
    histogram.observe(("x",), value)
    exemplar = Exemplar({"trace_id": "a"}, value, 1.5)
    histogram.exemplify(("x",), Exemplar({"trace_id": "before"}, value, 1))
    histogram.exemplify(("x",), exemplar)
    [family] = registry.collect()
    assert {each.labels["le"]: each.exemplar for each in family.samples if each.exemplar} == {boundary: exemplar}
    [line] = [line for line in openmetrics(registry).decode().splitlines() if " # " in line]  # type: ignore[no-untyped-call]
    assert line.endswith(f'# {{trace_id="a"}} {float(value)} 1.5')


def test_a_name_is_taken_once() -> None:
    registry = CollectorRegistry()
    PlainCounter("c", "help", [], registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Counter("c", "help", registry=registry)


@pytest.mark.parametrize("boundaries", [(2, 1), (1, 1), (1, math.inf)])
def test_boundaries_ascend_and_are_finite(boundaries: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="boundaries of h"):
        PlainHistogram("h", "help", [], boundaries, CollectorRegistry())
