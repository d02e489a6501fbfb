"""Figures of two sides, and whether they are what was promised."""

import math

import pytest

from bench.figures import Target
from evidence.compare.measure import CrowdStep, held
from evidence.comparison import Comparison, promise, written

FAST = Comparison("p95", "ms", [20, 40, 30], [2, 5, 3], target=Target("<", 5), gain=Target(">=", 6))


def test_factors_are_taken_round_by_round() -> None:
    assert FAST.factors == [10, 8, 10]
    rates = Comparison("hit rate", "%", [10, 20], [90, 80], higher_is_better=True)
    assert rates.factors == [9, 4]


def test_both_the_target_and_the_gain_have_to_hold() -> None:
    assert FAST.holds is True
    assert Comparison("p95", "ms", [20, 40, 30], [6, 7, 8], target=Target("<", 5)).holds is False
    assert Comparison("p95", "ms", [6, 6, 6], [2, 2, 2], target=Target("<", 5), gain=Target(">=", 6)).holds is False
    assert Comparison("p95", "ms", [1], [2]).holds is None


def test_what_the_optimized_side_needs_none_of_is_infinitely_better() -> None:
    queries = Comparison("queries", "", [1, 1], [0, 0], gain=Target(">=", 3))
    assert queries.holds is True
    assert written(queries.factors, "") == "∞ (∞ to ∞)"
    assert Comparison("hit rate", "%", [0, 0], [99, 98], higher_is_better=True).factors == [math.inf, math.inf]


def test_one_zero_among_others_is_no_division_by_zero() -> None:
    queries = Comparison("queries", "", [1, 2], [0, 1], gain=Target(">=", 3))
    assert queries.factors == [math.inf, 2]


def test_nothing_measured_holds_nothing() -> None:
    nothing = Comparison("p95", "ms", [math.nan], [math.nan], target=Target("<", 5))
    assert nothing.holds is False
    assert written(nothing.optimized, "ms") == ""


def test_counts_are_whole() -> None:
    assert written([1100], "") == "1,100"
    assert written([20, 40.5, 30], "ms") == "30 ms (20 to 40.5)"


def test_a_promise_in_words() -> None:
    assert promise(FAST) == "less than 5.00 ms, at least 6.00 times better"
    assert promise(Comparison("p95", "ms", [1], [1])) == ""


@pytest.mark.parametrize(
    ("errors", "expected"), [([0, 0.5, 3], 100), ([0, 0.9, 0.2], 200), ([1, 0], 0), ([], 0), ([0, 2, 0], 50)]
)
def test_users_are_held_up_to_the_first_step_with_too_many_errors(errors: list[float], expected: int) -> None:
    steps = [CrowdStep(users, percent, 1) for users, percent in zip((50, 100, 200), errors, strict=False)]
    assert held(steps, 1) == expected


def test_most_rounds_have_to_be_valid() -> None:
    """One good round of three proves nothing."""
    nothing = float("nan")
    assert Comparison("p95", "ms", [10, 10, 10], [1, 1, nothing], target=Target("<", 5)).holds is True
    assert Comparison("p95", "ms", [10, 10, 10], [1, nothing, nothing], target=Target("<", 5)).holds is False
    assert Comparison("p95", "ms", [10, nothing, nothing], [1, 1, 1], gain=Target(">=", 4)).holds is False
