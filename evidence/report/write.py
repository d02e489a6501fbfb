"""A report as files: the page, its text for a terminal, and what the history remembers."""

import re
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evidence.folders import REPORTS
from evidence.report.document import Report
from evidence.report.history import last_good, past, remember
from evidence.report.trend import trend

_TEMPLATE = "page.html.j2"
MARKS = {True: "holds", False: "MISSED", None: ""}


def write(report: Report, folder: Path = REPORTS) -> Path:
    """Write `report` into `folder`, with the history of its kind in it; return the page's file.

    Beside it come the summary (.txt) and what later reports read of it (.json).
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = [each for each in past(report.kind, folder) if each.at < report.at]
    file = file_of(report.kind, report.at, folder)
    page = _environment().get_template(_TEMPLATE)
    file.write_text(page.render(report=report, trend=trend(report, before), before=before, last_good=last_good(before)))
    file.with_suffix(".txt").write_text(summary(report))
    remember(report, file)
    return file


def file_of(kind: str, at: float, folder: Path = REPORTS) -> Path:
    """Return the file of the report of that kind and moment (Unix seconds), whether it exists or not."""
    name = re.sub(r"[^a-z0-9]+", "-", kind.lower())
    return folder / f"{name}_{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}.html"


def summary(report: Report) -> str:
    """Return the verdict and the figures as text."""
    head = ["figure", "promised", *report.columns, ""]
    rows = [head, *([each.name, each.promised, *each.values, MARKS[each.holds]] for each in report.figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    said = [*(f"  why: {reason}" for reason in report.reasons), *(f"  warning: {each}" for each in report.warnings)]
    about = [f"  {name}: {value}" for name, value in report.about.items()]
    return "\n".join([report.title, report.verdict, *said, "", *lines, "", *about, ""])


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["time"] = lambda at: f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    environment.filters["inline"] = lambda png: f"data:image/png;base64,{b64encode(png).decode()}"
    environment.globals["marks"] = MARKS
    return environment
