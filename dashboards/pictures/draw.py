"""A panel as a picture: a figure, lines or a table, with its unit and its thresholds."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from dashboards.pictures.ask import Line, Span
from dashboards.pictures.units import written

# Inches of a column and of a line of Grafana's grid.
COLUMN, LINE = 0.62, 0.44
COLOURS = {"green": "#3f8f4f", "red": "#c43d3d", "text": "#555555"}
STATES = {"green": "good", "red": "bad", "text": "none"}
LEGEND_LINES = 10
ROWS = 12
CELL_CHARACTERS = 74
# Marks on the axis of time are so many minutes apart, and this many at most.
MINUTES = (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440)
MARKS = 6

mpl.use("agg")
mpl.rcParams["axes.prop_cycle"] = cycler(color=mpl.color_sequences["tab20"])


@dataclass(frozen=True)
class Size:
    """How large a picture is: inches, and pixels in an inch."""

    width: float
    height: float
    dpi: int = 100


def draw(panel: Mapping[str, Any], span: Span, file: Path | BinaryIO, size: Size | None = None) -> None:
    """Draw `panel`, as its JSON describes it, over `span` as a PNG into `file`; of its size in Grafana by default."""
    lines = span.lines(panel)
    size = size or _size(panel)
    figure = Figure(figsize=(size.width, size.height), dpi=size.dpi, layout="constrained")
    axes = figure.subplots()
    axes.set_title(panel["title"], fontsize=11, fontweight="bold", loc="left")
    if not any(math.isfinite(value) for line in lines for value in line.values):
        lines = []
    KINDS[panel["type"]](axes, panel, lines)
    if panel["type"] == "timeseries":
        _time_axis(axes, span)
    figure.savefig(file, format="png")


def state(panel: Mapping[str, Any], value: float) -> str:
    """Return what a figure of `panel` is worth by its thresholds: `good`, `bad`, or `none` if it is no number."""
    return STATES[_step(panel, value)["color"]]


def table_of(panel: Mapping[str, Any], lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Return the columns of a table and its largest rows."""
    organised = panel["transformations"][0]["options"]
    names = sorted(organised["indexByName"], key=lambda name: int(organised["indexByName"][name]))
    largest = sorted(lines, key=lambda line: line.values[-1], reverse=True)[:ROWS]
    rows = [[_cell(line, name, _unit(panel)) for name in names] for line in largest]
    return [organised["renameByName"][name] for name in names], rows


def _size(panel: Mapping[str, Any]) -> Size:
    place = panel["gridPos"]
    return Size(place["w"] * COLUMN, max(place["h"] * LINE, 2.2))


def _stat(axes: Axes, panel: Mapping[str, Any], lines: Sequence[Line]) -> None:
    values = [value for line in lines for value in line.values]
    last = values[-1] if values else math.nan
    colour = COLOURS[_step(panel, last)["color"]]
    axes.set_axis_off()
    axes.fill([0, 1, 1, 0], [0, 0, 1, 1], color=colour, alpha=0.15, transform=axes.transAxes)
    text = written(last, _unit(panel))
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=24, color=colour, transform=axes.transAxes)


def _step(panel: Mapping[str, Any], value: float) -> dict[str, Any]:
    """Return the threshold that `value` has reached; what is no number is in neither the good nor the bad colour."""
    if math.isnan(value):
        return {"color": "text"}
    steps: list[dict[str, Any]] = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [step for step in steps if step["value"] is None or value >= step["value"]][-1]


def _timeseries(axes: Axes, panel: Mapping[str, Any], lines: Sequence[Line]) -> None:
    for line in lines:
        axes.plot(line.times, line.values, label=line.name, linewidth=1.3)
    for step in panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])[1:]:
        axes.axhline(step["value"], color=COLOURS["red"], linestyle="--", linewidth=1, label="target")
    # From 0, and up to 1 where everything is 0, as in Grafana.
    axes.set_ylim(0, 1.04 * axes.get_ylim()[1] if any(value > 0 for line in lines for value in line.values) else 1)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value, _unit(panel))))
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    _legend(axes)


def _time_axis(axes: Axes, span: Span) -> None:
    apart = next((minutes for minutes in MINUTES if span.end - span.start <= 60 * minutes * MARKS), MINUTES[-1])
    axes.set_xlim(span.start, span.end)
    axes.xaxis.set_major_locator(MultipleLocator(60 * apart))
    form = "%H:%M" if apart >= 1 else "%H:%M:%S"
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: datetime.fromtimestamp(at, UTC).strftime(form)))


def _legend(axes: Axes) -> None:
    """Write the legend below, with as many series as there is room for."""
    handles, names = axes.get_legend_handles_labels()
    if not handles:
        axes.text(0.5, 0.5, "no data", ha="center", va="center", color=COLOURS["text"], transform=axes.transAxes)
        return
    shown = names[:LEGEND_LINES]
    if len(names) > LEGEND_LINES:
        shown[-1] = f"{shown[-1]} and {len(names) - LEGEND_LINES} more"
    # Two names side by side, in letters a ninth of an inch high and half as wide.
    room = int(9 * axes.figure.bbox.width / axes.figure.dpi) - 6
    shown = [_shortened(name, min(44, room)) for name in shown]
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12), "ncols": 2}
    axes.legend(handles[: len(shown)], shown, fontsize=8, frameon=False, **below)


def _table(axes: Axes, panel: Mapping[str, Any], lines: Sequence[Line]) -> None:
    axes.set_axis_off()
    columns, rows = table_of(panel, lines)
    rows = [[_shortened(cell, CELL_CHARACTERS) for cell in row] for row in rows]
    if not rows:
        axes.text(0.5, 0.5, "no data", ha="center", va="center", color=COLOURS["text"], transform=axes.transAxes)
        return
    table = axes.table(rows, colLabels=columns, loc="upper left", cellLoc="left", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    table.auto_set_column_width(list(range(len(columns))))


def _cell(line: Line, column: str, unit: str) -> str:
    if column == "Value":
        return written(line.values[-1], unit)
    return line.labels.get(column, "")


def _shortened(text: str, limit: int) -> str:
    # A dollar sign would begin a formula.
    text = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return text.replace("$", r"\$")


def _unit(panel: Mapping[str, Any]) -> str:
    return str(panel["fieldConfig"]["defaults"]["unit"])


KINDS: Mapping[str, Callable[[Axes, Mapping[str, Any], Sequence[Line]], None]] = {
    "stat": _stat,
    "timeseries": _timeseries,
    "table": _table,
}
