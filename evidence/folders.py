"""Where results are kept."""

from datetime import UTC, datetime
from pathlib import Path

from infra.config import ROOT

RESULTS = ROOT / "evidence" / "results"
REPORTS = ROOT / "reports"


def new_folder(kind: str) -> Path:
    """Return a new folder for the results of one run, called after its kind and the time."""
    folder = RESULTS / f"{kind}_{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}"
    folder.mkdir(parents=True)
    return folder
