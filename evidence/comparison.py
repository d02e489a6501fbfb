"""What the two sides gave, figure by figure, and whether it is what was promised."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.arithmetic import Spread, shown, spread
from bench.figures import Target


@dataclass(frozen=True)
class Comparison:
    """One figure of both sides, a value for each round; NaN where a round gave none.

    `target` is for the optimized side, `gain` for the factor by which that is better than the baseline in the round.
    """

    name: str
    unit: str
    baseline: Sequence[float]
    optimized: Sequence[float]
    higher_is_better: bool = False
    target: Target | None = None
    gain: Target | None = None

    @property
    def factors(self) -> list[float]:
        """How many times better the optimized side was in each round; infinite where it needed none at all."""
        better, worse = (self.optimized, self.baseline) if self.higher_is_better else (self.baseline, self.optimized)
        return [_ratio(*values) for values in zip(better, worse, strict=True)]

    @property
    def holds(self) -> bool | None:
        """Whether everything that was promised holds; None if nothing was."""
        promised = [(self.target, self.optimized), (self.gain, self.factors)]
        judged = [_most_are_valid(values) and target.holds(of(values)) for target, values in promised if target]
        return all(judged) if judged else None


def _ratio(better: float, worse: float) -> float:
    if worse == 0:
        return math.inf if better > 0 else math.nan
    return better / worse


def _most_are_valid(values: Sequence[float]) -> bool:
    return 2 * len(_valid(values)) > len(values)


def _valid(values: Sequence[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


def of(values: Sequence[float]) -> Spread:
    """The spread of the rounds that gave a value."""
    return spread(_valid(values))


def written(values: Sequence[float], unit: str) -> str:
    """Values as a table shows them: the middle one with its unit, and the ends of several."""
    found = of(values)
    if math.isnan(found.median):
        return ""
    middle = f"{_shown(found.median)} {unit}".rstrip()
    return middle if len(_valid(values)) == 1 else f"{middle} ({_shown(found.low)} to {_shown(found.high)})"


def _shown(value: float) -> str:
    if math.isinf(value):
        return "∞"
    return f"{value:,.0f}" if float(value).is_integer() else shown(value)


def promise(comparison: Comparison) -> str:
    """What was promised of a figure, in words; empty if nothing was."""
    unit = f" {comparison.unit}" if comparison.unit else ""
    parts = [f"{comparison.target}{unit}"] if comparison.target else []
    parts += [f"{comparison.gain} times better"] if comparison.gain else []
    return ", ".join(parts)
