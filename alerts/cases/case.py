"""What a case is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerts.series import INTERVAL, Series


@dataclass(frozen=True)
class Firing:
    """What a firing alert is expected to show: the rendered figure and the labels of its series."""

    figure: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """An alert, the series that make it fire at `at` and show `firing`, and those that leave it silent.

    `also` are further series that make it fire; `silent_on` gives each of those that do not by its reason. Each of them
    has a sample every `interval`.
    """

    alert: str
    at: str
    fires_on: Series
    firing: tuple[Firing, ...]
    silent_on: Mapping[str, Series]
    interval: str = INTERVAL
    also: tuple[tuple[Series, tuple[Firing, ...]], ...] = ()
