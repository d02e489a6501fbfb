"""The reports of before: what they said in numbers, so that a trend is seen, and which was the last good one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evidence.report.document import Report


@dataclass(frozen=True)
class Past:
    """A report of before: the file that it is, when, its verdict, and its figures that have a number."""

    file: str
    at: float
    holds: bool
    release: str
    figures: dict[str, float]


def remember(report: Report, file: Path) -> None:
    """Write what the history needs of a report beside its file."""
    document = {
        "kind": report.kind,
        "file": file.name,
        "at": report.at,
        "holds": report.holds,
        "release": report.about.get("release", ""),
        "figures": {each.name: each.trend for each in report.figures if each.trend is not None},
    }
    file.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")


def past(kind: str, folder: Path) -> list[Past]:
    """Return the reports of a kind, the oldest first; a file that cannot be read is passed over."""
    found = []
    for file in sorted(folder.glob("*.json")):
        try:
            document = json.loads(file.read_text())
            if document.pop("kind") == kind:
                found.append(Past(**document))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return sorted(found, key=lambda each: each.at)


def last_good(reports: Sequence[Past]) -> Past | None:
    """Return the newest report whose verdict was good."""
    return next((each for each in reversed(reports) if each.holds), None)
