"""Draws the results: `python -m bench.picture FOLDER` reads results.json there and writes picture.png.

It runs where matplotlib is, in a container of the release image; nothing else of the benchmark is needed.
"""
# mypy: disable-error-code="import-not-found,no-any-unimported"

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_PERCENTILES = ("p50", "p95", "p99")
_COLOURS = {"program": "#4c72b0", "postgres": "#55a868", "redis": "#c44e52"}
_SHADES = {"p50": "#9ecae1", "p95": "#4292c6", "p99": "#08519c"}

Row = dict[str, Any]


def draw(results: Row) -> Figure:
    """Bars of CPU time and of latency, and the course of the run in which Redis was killed."""
    figure, axes = pyplot.subplots(3, 1, figsize=(13, 17), layout="constrained")
    machine = results["machine"]
    title = f"{machine['release_image']}, {machine['processors']} x {machine['processor']}, {results['at']}"
    figure.suptitle(f"QUICK RUN: {title}" if results["quick"] else title)
    _costs(axes[0], results["figures"])
    _latencies(axes[1], results["figures"])
    _outage(axes[2], results["curves"])
    return figure


def _measured(figures: list[Row], names: str | tuple[str, ...]) -> list[Row]:
    """The figures whose names begin so and that have a valid round."""
    return [each for each in figures if each["name"].startswith(names) and each["median"] is not None]


def _costs(axes: Axes, figures: list[Row]) -> None:
    """CPU time per validation by subject, container upon container."""
    axes.set_title("CPU time per validation, closed loop (µs; medians)")
    rows = [each for each in _measured(figures, "CPU per request, ") if each["part"] == "validation, closed loop"]
    subjects = list(dict.fromkeys(each["subject"] for each in rows))
    left = dict.fromkeys(subjects, 0.0)
    for part, colour in _COLOURS.items():
        widths = {each["subject"]: each["median"] for each in rows if each["name"].endswith(f", {part}")}
        values = [widths.get(subject, 0) for subject in subjects]
        axes.barh(subjects, values, left=list(left.values()), color=colour, label=part)
        left = {subject: left[subject] + value for subject, value in zip(subjects, values, strict=True)}
    for subject, total in left.items():
        axes.text(total, subject, f" {total:,.0f}", va="center")
    axes.invert_yaxis()
    if subjects:
        axes.legend()


def _latencies(axes: Axes, figures: list[Row]) -> None:
    """p50, p95 and p99 of each scenario and subject, with the spread of the rounds."""
    axes.set_title("Latency from the intended send time (ms, logarithmic; medians and spread of the rounds)")
    rows = _measured(figures, _PERCENTILES)
    labels = list(dict.fromkeys(f"{each['part']}: {each['subject']}" for each in rows))
    for offset, name in enumerate(_PERCENTILES):
        chosen = [each for each in rows if each["name"] == name]
        places = [labels.index(f"{each['part']}: {each['subject']}") + 0.27 * (offset - 1) for each in chosen]
        medians = [each["median"] for each in chosen]
        spread = [
            [median - each["low"] for median, each in zip(medians, chosen, strict=True)],
            [each["high"] - median for median, each in zip(medians, chosen, strict=True)],
        ]
        axes.barh(places, medians, height=0.25, xerr=spread, color=_SHADES[name], label=name, ecolor="#555555")
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.invert_yaxis()
    if labels:
        axes.set_xscale("log")
        axes.legend()
        axes.grid(axis="x", alpha=0.3)


def _outage(axes: Axes, curves: dict[str, list[float]]) -> None:
    """p50 and p95 of each second, and when Redis was away."""
    axes.set_title("Redis killed under load: latency of validations by second (ms)")
    axes.set_xlabel("seconds")
    if not curves:
        axes.text(0.5, 0.5, "not measured in this run", ha="center", transform=axes.transAxes)
        return
    axes.axvspan(*curves["outage"], color="#c44e52", alpha=0.15, label="Redis is away")
    for name in ("p50", "p95"):
        axes.plot(curves["seconds"], curves[name], color=_SHADES[name], label=name)
    axes.set_yscale("log")
    axes.grid(alpha=0.3)
    axes.legend()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    draw(json.loads((folder / "results.json").read_text())).savefig(folder / "picture.png", dpi=110)
