"""What the tests of the k6 suite share: a copy of it, and services to run it against."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.unit.loadtest.k6_suite import ROOT, Service


@pytest.fixture
def replicas() -> Iterator[list[Service]]:
    servers = [Service(), Service()]
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A copy of the suite and the targets, laid out as in the deployment.

    Latencies may be a hundred times what they have to be: a machine that stands still for a moment would break the
    targets of a run that lasts a second, whatever the test is about.
    """
    shutil.copytree(ROOT / "loadtest", tmp_path / "loadtest", ignore=shutil.ignore_patterns("results"))
    (tmp_path / "alerts").mkdir()
    targets = json.loads((ROOT / "alerts" / "targets.json").read_text())
    targets["k6"] = {name: 100 * milliseconds for name, milliseconds in targets["k6"].items()}
    (tmp_path / "alerts" / "targets.json").write_text(json.dumps(targets))
    return tmp_path / "loadtest"
