"""Write the dashboards' JSON, or check that it is current.

`python -m dashboards.generate` writes, `python -m dashboards.generate --check` names what is out of date and
exits 1.
"""

import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from alerts import targets
from alerts.sync import sync
from dashboards.overview import overview

HERE = Path(__file__).parent


def generated() -> dict[Path, str]:
    """Return every generated file, path to content."""
    text = JSONEncoder(sort_keys=True, indent=2).encode(overview(targets.load()))
    return {HERE / "json" / "overview.json": f"{text}\n"}


if __name__ == "__main__":
    sys.exit(sync(generated(), check="--check" in sys.argv[1:]))
