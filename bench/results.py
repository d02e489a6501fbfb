"""What a run leaves behind: results.json, table.md and picture.png in a folder of its own."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.engine import Engine, Part
from bench.figures import Figure, all_hold
from bench.measuring import Findings, Plan
from bench.table import table
from infra.images.table import ROOT

FOLDER = ROOT / "bench" / "results"


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    machine: Mapping[str, object]
    plan: Plan
    quick: bool
    findings: Findings

    def text(self) -> str:
        """The tables."""
        machine = self.machine
        about = (
            f"Release image {machine['release_image']}, commit {machine['commit']}, on {machine['processors']} x "
            f"{machine['processor']}, kernel {machine['kernel']}."
        )
        if self.quick:
            about = f"**Quick: short rounds, for development; no conclusions from it.** {about}"
        return table(self.findings.figures, about)

    def write(self, folder: Path) -> None:
        """Write the table, and everything for programs."""
        (folder / "table.md").write_text(self.text())
        document = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "quick": self.quick,
            "all_hold": all_hold(self.findings.figures),
            "machine": self.machine,
            "plan": asdict(self.plan),
            "figures": [_plain(figure) for figure in self.findings.figures],
            "curves": self.findings.curves,
        }
        (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n")


def new_folder(parent: Path = FOLDER, kind: str = "") -> Path:
    """A new folder for the results of a run, called after its kind, if there are several, and the time."""
    folder = parent / f"{kind}_{datetime.now(UTC):%Y%m%dT%H%M%SZ}".removeprefix("_")
    folder.mkdir(parents=True)
    return folder


def draw(engine: Engine, image: str, packages: Path, folder: Path) -> None:
    """Draw picture.png of the results in a folder, in a container that has matplotlib."""
    part = Part(
        image,
        ["python", "-m", "bench.picture", "/results"],
        {"PYTHONPATH": "/opt/packages:/opt/bench", "MPLCONFIGDIR": "/tmp"},  # noqa: S108 - of the container
        {packages: "/opt/packages", ROOT / "bench": "/opt/bench/bench"},
        memory_mb=1024,
        user=f"{os.getuid()}:{os.getgid()}",
        writable={folder: "/results"},
    )
    engine.call("picture", part)


def _plain(figure: Figure) -> dict[str, object]:
    """A figure as JSON has it: an invalid round is null."""
    found = figure.spread
    return {
        "part": figure.part,
        "subject": figure.subject,
        "name": figure.name,
        "unit": figure.unit,
        "rounds": [None if value != value else value for value in figure.values],  # noqa: PLR0124 - NaN
        "median": found.median if figure.valid else None,
        "low": found.low if figure.valid else None,
        "high": found.high if figure.valid else None,
        "target": str(figure.target) if figure.target else None,
        "holds": figure.holds if figure.target else None,
    }
