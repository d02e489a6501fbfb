"""Percentiles, medians and spreads."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(sorted_values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` % of the values do not exceed (nearest rank); NaN of nothing."""
    if not sorted_values:
        return math.nan
    return sorted_values[max(0, math.ceil(len(sorted_values) * percent / 100) - 1)]


@dataclass(frozen=True)
class Spread:
    """What several rounds gave: the middle one, and the two at the ends."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """The ends, as a table shows them."""
        return f"{shown(self.low)} to {shown(self.high)}"


def spread(values: Sequence[float]) -> Spread:
    """The spread of some values; all NaN of none."""
    if not values:
        return Spread(math.nan, math.nan, math.nan)
    return Spread(median(values), min(values), max(values))


def ratios(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """Each value over the one of the same round; NaN where either is."""
    return [value / other for value, other in zip(values, others, strict=True)]


def shown(value: float) -> str:
    """A figure with three significant digits, and without an exponent."""
    if math.isnan(value):
        return "no data"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
