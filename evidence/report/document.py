"""What a report holds, whatever run it tells of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One line of the verdict: `values` are what the columns say, `trend` is the number that the history follows.

    `holds` is None for a figure that nothing was promised of.
    """

    name: str
    promised: str
    values: Sequence[str]
    holds: bool | None = None
    trend: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture as PNG, with what it shows."""

    title: str
    description: str
    png: bytes


@dataclass(frozen=True)
class Table:
    """A table: its title, its columns and its rows."""

    title: str
    description: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Tile:
    """One number of a dashboard: `state` is `good`, `bad` or, if nothing is known, `none`."""

    title: str
    description: str
    value: str
    state: str


@dataclass(frozen=True)
class Section:
    """A part of the page; one that is `folded` is opened by whoever wants to see it."""

    title: str
    description: str = ""
    tiles: Sequence[Tile] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    folded: bool = False


@dataclass(frozen=True)
class Report:
    """A run: `kind` is what the history compares it with, `at` when it ended (Unix seconds).

    `reasons` say why `holds` is false, and `warnings` what else to know. `columns` are the headings of the figures'
    values; `about` are versions and the machine, by name.
    """

    kind: str
    title: str
    at: float
    holds: bool
    columns: Sequence[str]
    figures: Sequence[Figure]
    reasons: Sequence[str] = ()
    warnings: Sequence[str] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    sections: Sequence[Section] = ()

    @property
    def verdict(self) -> str:
        """One word, and how many of the figures that were promised hold."""
        judged = [figure for figure in self.figures if figure.holds is not None]
        good = sum(1 for figure in judged if figure.holds)
        return f"{'PASS' if self.holds else 'FAIL'}: {good} of {len(judged)} promised figures hold"
