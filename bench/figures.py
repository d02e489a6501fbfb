"""Figures, each from several rounds, and whether they are what they have to be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.arithmetic import Spread, shown, spread

_WORDS = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least", "=": "exactly"}


@dataclass(frozen=True)
class Target:
    """What a figure has to be. `of` says which round has to hold it: the middle one, or every one."""

    sign: Literal["<", "<=", ">", ">=", "="]
    limit: float
    of: Literal["median", "all"] = "median"

    def holds(self, found: Spread) -> bool:
        """Whether the rounds hold it; what was not measured holds nothing, because NaN compares as false."""
        lowest, highest = (found.median, found.median) if self.of == "median" else (found.low, found.high)
        if self.sign == "<":
            return highest < self.limit
        if self.sign == "<=":
            return highest <= self.limit
        if self.sign == ">":
            return lowest > self.limit
        if self.sign == ">=":
            return lowest >= self.limit
        return lowest == highest == self.limit

    def __str__(self) -> str:
        """The target in words."""
        return f"{_WORDS[self.sign]} {shown(self.limit)}"


@dataclass(frozen=True)
class Figure:
    """A figure of one subject: a value for each round, NaN for an invalid one, and its target if it has one."""

    part: str
    subject: str
    name: str
    unit: str
    values: Sequence[float]
    target: Target | None = None

    @property
    def valid(self) -> list[float]:
        """The values of the valid rounds."""
        return [value for value in self.values if not math.isnan(value)]

    @property
    def spread(self) -> Spread:
        """What the valid rounds gave."""
        return spread(self.valid)

    @property
    def holds(self) -> bool:
        """Whether most rounds are valid and hold the target; without one there is nothing to miss."""
        if self.target is None:
            return True
        return 2 * len(self.valid) > len(self.values) and self.target.holds(self.spread)


def all_hold(figures: Sequence[Figure]) -> bool:
    """Whether no figure misses its target; of nothing measured nothing is known, and that does not hold."""
    return bool(figures) and all(figure.holds for figure in figures)
