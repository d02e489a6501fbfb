"""Quantiles from buckets, as Prometheus computes them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.gate.histogram import quantile


def test_the_observations_of_a_bucket_are_spread_evenly() -> None:
    assert quantile(0.95, {10: 0, 20: 100, math.inf: 100}) == pytest.approx(19.5)
    assert quantile(0.5, {10: 50, 20: 100, math.inf: 100}) == 10
    assert quantile(0.5, {10: 100, math.inf: 100}) == 5


def test_beyond_the_highest_boundary_the_boundary_is_given() -> None:
    assert quantile(0.95, {10: 1, 20: 2, math.inf: 100}) == 20


def test_without_observations_there_is_no_quantile() -> None:
    assert math.isnan(quantile(0.95, {10: 0, math.inf: 0}))


@pytest.mark.parametrize("buckets", [{}, {10: 5}])
def test_a_histogram_without_its_last_bucket_is_refused(buckets: dict[float, float]) -> None:
    with pytest.raises(ValueError, match=r"\+Inf"):
        quantile(0.95, buckets)


@given(st.lists(st.floats(min_value=0.01, max_value=99), min_size=1), st.floats(min_value=0.01, max_value=0.99))
def test_a_quantile_lies_in_the_bucket_of_the_observation_of_its_rank(values: list[float], q: float) -> None:
    boundaries = [1.0, 5.0, 25.0, 100.0, math.inf]
    buckets = {boundary: float(sum(value <= boundary for value in values)) for boundary in boundaries}
    ranked = sorted(values)[max(0, math.ceil(q * len(values)) - 1)]
    high = next(boundary for boundary in boundaries if ranked <= boundary)
    low = max((boundary for boundary in boundaries if boundary < ranked), default=0)
    assert low <= quantile(q, buckets) <= high
