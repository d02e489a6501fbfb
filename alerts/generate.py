"""Write the files under alerts/ that derive from the targets, or check that they are current.

`python -m alerts.generate` writes, `python -m alerts.generate --check` names what is out of date and exits 1.
"""

import sys
from pathlib import Path

from alerts import targets
from alerts.promtool import promtool_files
from alerts.rule_files import rule_files
from alerts.sync import sync

HERE = Path(__file__).parent


def generated() -> dict[Path, str]:
    """Return every generated file, path to content."""
    figures = targets.load()
    rules = {HERE / "rules" / name: text for name, text in rule_files(figures).items()}
    return rules | {HERE / "tests" / name: text for name, text in promtool_files(figures).items()}


if __name__ == "__main__":
    sys.exit(sync(generated(), check="--check" in sys.argv[1:]))
