"""The newest measurement of the indexes on this machine, for the reports of other runs."""

import json
from pathlib import Path

from evidence.folders import RESULTS
from evidence.report.document import Section, Table

_TITLE = "The indexes of revision 006"


def section(results: Path = RESULTS) -> Section:
    """Return what the newest `make indexes` found, or that there was none."""
    for folder in sorted(results.glob("indexes_*"), reverse=True):
        try:
            found = json.loads((folder / "results.json").read_text())
            gains = Table("What they give", found["about"], found["gains"]["columns"], found["gains"]["rows"])
        except (OSError, ValueError, KeyError):
            continue
        return Section(_TITLE, f"Measured with `make indexes`, {found['at']}.", tables=[gains])
    return Section(_TITLE, "Not measured here yet: `make indexes` does.")
