import math
from dataclasses import replace

import pytest

from bench.arithmetic import Spread, percentile, ratios, shown, spread
from bench.figures import Figure, Target, all_hold
from bench.table import table


def figure(target: Target | None, *values: float) -> Figure:
    return Figure("part", "subject", "name", "ms", values, target)


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(50, 5), (95, 10), (90, 9), (99, 10), (1, 1), (100, 10)],
)
def test_a_percentile_is_the_nearest_rank(percent: float, expected: float) -> None:
    assert percentile(range(1, 11), percent) == expected


def test_of_nothing_there_is_no_percentile_and_no_spread() -> None:
    assert math.isnan(percentile([], 95))
    assert math.isnan(spread([]).median)


def test_a_spread_is_the_middle_and_the_ends() -> None:
    assert spread([3, 1, 2]) == Spread(2, 1, 3)
    assert spread([4, 1, 2, 3]) == Spread(2.5, 1, 4)


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([2, 9], [1, 3]) == [2, 3]
    assert math.isnan(ratios([math.nan], [1])[0])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.5, "1,234"), (12.345, "12.3"), (0.012345, "0.0123"), (0, "0"), (math.nan, "no data")],
)
def test_a_figure_is_shown_with_three_digits(value: float, expected: str) -> None:
    assert shown(value) == expected


@pytest.mark.parametrize(
    ("target", "below", "at", "above"),
    [
        (Target("<", 5), True, False, False),
        (Target("<=", 5), True, True, False),
        (Target(">", 5), False, False, True),
        (Target("=", 5), False, True, False),
    ],
)
def test_a_target_holds_on_its_side(target: Target, below: bool, at: bool, above: bool) -> None:
    assert [figure(target, value).holds for value in (4.9, 5, 5.1)] == [below, at, above]


def test_the_middle_round_counts_unless_every_one_has_to_hold() -> None:
    assert figure(Target("<", 5), 1, 2, 99).holds
    assert not figure(Target("<", 5, of="all"), 1, 2, 99).holds
    assert not figure(Target("=", 0, of="all"), 0, 0, 1).holds


def test_most_rounds_have_to_be_valid() -> None:
    assert figure(Target("<", 5), 1, math.nan, 1).holds
    assert not figure(Target("<", 5), 1, math.nan).holds
    assert not figure(Target("<", 5), math.nan).holds


def test_what_was_not_measured_does_not_hold() -> None:
    assert not all_hold([])
    assert all_hold([figure(None, 99)])
    assert not all_hold([figure(None, 99), figure(Target("<", 5), 6)])


def test_the_table_has_targets_and_measurements_apart() -> None:
    other = replace(figure(None, 1), part="other")
    text = table([figure(Target("<", 5), 6, 7, 8), other, figure(None, math.nan, 2)], "about it")
    assert "| part: subject: name | less than 5.00 ms | 7.00 ms | 6.00 to 8.00 | 3 of 3 | **NO** |" in text
    assert text.count("| subject | name | 2.00 ms | 2.00 to 2.00 | 1 of 2 |") == 1
    assert text.index("## Other") < text.index("| 1.00 ms |") < text.index("## Part") < text.index("| 2.00 ms |")
