"""Write what Grafana loads, or check that it is current.

`python -m dashboards.generate` writes, `python -m dashboards.generate --check` names what is out of date and
exits 1.
"""

import sys
from pathlib import Path

from alerts import prometheus, targets
from alerts.rule_files import Links
from alerts.sync import sync
from dashboards.boards import texts
from dashboards.sources import Addresses, provisioning

HERE = Path(__file__).parent


def generated() -> dict[Path, str]:
    """Return every generated file, path to content: those of a stack with the default settings."""
    boards = {HERE / "json" / name: text for name, text in texts(targets.load(), Links()).items()}
    interval = prometheus.Settings.scrape_interval_seconds
    return boards | {HERE / "provisioning" / "datasources" / "janua.yml": provisioning(Addresses(), interval)}


if __name__ == "__main__":
    sys.exit(sync(generated(), check="--check" in sys.argv[1:]))
