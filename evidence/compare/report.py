"""The report of a comparison."""

import math
from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes

from bench.arithmetic import shown
from dashboards.pictures.ask import Span
from dashboards.pictures.draw import COLOURS
from evidence.about import machine
from evidence.compare.deployments import PROFILES, Side
from evidence.compare.measure import CrowdStep
from evidence.compare.results import Result
from evidence.comparison import Comparison, of, promise, written
from evidence.report.canvas import LETTERS, png
from evidence.report.document import Figure, Picture, Report, Section, Table
from evidence.report.headline import sections

_COLOURS = dict(zip(PROFILES, (COLOURS["red"], COLOURS["green"]), strict=True))


def report(result: Result, optimized: Side, started_at: float, ended_at: float) -> Report:
    """Return the report of a comparison that was measured between two moments (Unix seconds).

    The dashboards in it are the optimized side's, whose Prometheus still has to answer: OSError if it does not.
    """
    span = Span(str(optimized.outputs["prometheus_url"]), started_at, ended_at)
    return Report(
        kind="quick comparison" if result.is_quick else "comparison",
        title="Baseline and optimized",
        at=ended_at,
        holds=not result.missed,
        columns=["baseline", "optimized", "factor"],
        figures=[_figure(each) for each in result.comparisons],
        reasons=result.bounds(),
        warnings=["short rounds, for development: no conclusions from it"] if result.is_quick else [],
        about={"compared": result.about(), **machine(result.machine)},
        sections=[
            Section(
                "Side by side",
                "The baseline is the same release without its cache and without the indexes of revision 006.",
                pictures=[_latencies(result.comparisons), *_crowds(result.measured.crowds)],
                tables=[_steps(result.measured.crowds)],
            ),
            *sections(span),
        ],
    )


def _figure(each: Comparison) -> Figure:
    median = of(each.optimized).median
    values = [written(each.baseline, each.unit), written(each.optimized, each.unit), written(each.factors, "")]
    return Figure(each.name, promise(each), values, each.holds, None if math.isnan(median) else median, each.unit)


def _latencies(comparisons: Sequence[Comparison]) -> Picture:
    chosen = [each for each in comparisons if each.unit == "ms" and "p95" in each.name]
    about = "p95 of both, on a logarithmic scale; a line from the best to the worst round"
    return Picture("Latency", about, png("Latency, p95 (ms)", partial(_paint_latencies, chosen)))


def _paint_latencies(comparisons: Sequence[Comparison], axes: Axes) -> None:
    for offset, side in ((-0.2, "baseline"), (0.2, "optimized")):
        found = [of(getattr(each, side)) for each in comparisons]
        places = [place + offset for place in range(len(found))]
        ends = [[one.median - one.low for one in found], [one.high - one.median for one in found]]
        axes.barh(places, [one.median for one in found], 0.36, xerr=ends, color=_COLOURS[side], label=side)
    axes.set_yticks(range(len(comparisons)), [each.name.removesuffix(", p95") for each in comparisons])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: shown(value))
    axes.legend(fontsize=LETTERS)


def _crowds(crowds: dict[str, list[CrowdStep]]) -> list[Picture]:
    about = "users who each validate their token once a second; a side is not asked further once it has too many errors"
    titles = {"error_percent": "Users at a time: errors (%)", "p95_ms": "Users at a time: p95 (ms)"}
    return [
        Picture(title, about, png(title, partial(_paint_crowds, crowds, column))) for column, title in titles.items()
    ]


def _paint_crowds(crowds: dict[str, list[CrowdStep]], column: str, axes: Axes) -> None:
    for side, steps in crowds.items():
        heights = [getattr(step, column) for step in steps]
        axes.plot([step.users for step in steps], heights, marker="o", color=_COLOURS[side], label=side)
    axes.set_xlabel("users", fontsize=LETTERS)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=LETTERS)


def _steps(crowds: dict[str, list[CrowdStep]]) -> Table:
    users = sorted({step.users for steps in crowds.values() for step in steps})
    rows = []
    for count in users:
        cells = [next((step for step in crowds[side] if step.users == count), None) for side in PROFILES]
        told = [f"{step.error_percent:.2f} % errors, p95 {step.p95_ms:.1f} ms" if step else "" for step in cells]
        rows.append([f"{count:,}", *told])
    return Table("Users at a time", "", ["users", *PROFILES], rows)
