"""What the tests of the k6 suite share: a copy of it, and services to run it against."""

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
    """A copy of the suite and the targets, laid out as in the deployment."""
    shutil.copytree(ROOT / "loadtest", tmp_path / "loadtest", ignore=shutil.ignore_patterns("results"))
    (tmp_path / "alerts").mkdir()
    shutil.copy(ROOT / "alerts" / "targets.json", tmp_path / "alerts")
    return tmp_path / "loadtest"
