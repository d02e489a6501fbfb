"""The results as tables of Markdown."""

from collections.abc import Sequence

from bench.arithmetic import shown
from bench.figures import Figure

_TARGETS = ["| what | target | median | spread | valid rounds | holds |", "| --- | --- | --- | --- | --- | --- |"]
_MEASURED = ["| what | figure | median | spread | valid rounds |", "| --- | --- | --- | --- | --- |"]


def table(figures: Sequence[Figure], about: str) -> str:
    """Return the document: `about` the run, each figure that has a target, then everything else by part."""
    lines = ["# Benchmark", "", about, "", "## Targets", "", *_TARGETS]
    lines += [_judged(figure) for figure in figures if figure.target is not None]
    measured = [figure for figure in figures if figure.target is None]
    for part in dict.fromkeys(figure.part for figure in measured):
        rows = [_plain(figure) for figure in measured if figure.part == part]
        lines += ["", f"## {part[0].upper()}{part[1:]}", "", *_MEASURED, *rows]
    return "\n".join([*lines, ""])


def _judged(figure: Figure) -> str:
    what = f"{figure.part}: {figure.subject}: {figure.name}"
    target = f"{figure.target} {figure.unit}".rstrip()
    return row(what, target, *_values(figure), "yes" if figure.holds else "**NO**")


def _plain(figure: Figure) -> str:
    return row(figure.subject, figure.name, *_values(figure))


def _values(figure: Figure) -> tuple[str, str, str]:
    median = f"{shown(figure.spread.median)} {figure.unit}".rstrip()
    return median, str(figure.spread), f"{len(figure.valid)} of {len(figure.values)}"


def row(*cells: str) -> str:
    """Return a row of a table in Markdown."""
    return f"| {' | '.join(cells)} |"
