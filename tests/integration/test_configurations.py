"""What the images' own tools say of the configurations that are deployed."""

from pathlib import Path

import pytest

from infra.jobs.promote import BACKEND, VOLUME, backend
from infra.tiers.edge import FOLDER, edge_files
from tests.tools import run_in_image

pytestmark = pytest.mark.integration


def check(folder: Path) -> str:
    """Have haproxy check the edge's configuration, with a backend of two replicas; return what it says."""
    arguments = ["haproxy", "-c", "-f", f"{FOLDER}/haproxy.cfg", "-f", str(BACKEND)]
    result = run_in_image("haproxy", arguments, {folder / "etc": FOLDER, folder / "volume": str(VOLUME)})
    return f"{result.returncode}\n{result.stdout}{result.stderr}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "volume").mkdir()
    for path, content in edge_files().items():
        (tmp_path / "etc" / Path(path).name).write_text(content, newline="")
    (tmp_path / "volume" / BACKEND.name).write_text(backend(["127.0.0.1:8001", "127.0.0.1:8002"]))
    return tmp_path


def test_haproxy_accepts_the_edge_without_a_warning(folder: Path) -> None:
    said = check(folder)
    assert said.startswith("0\n")
    assert "WARNING" not in said


def test_haproxy_refuses_a_broken_backend(folder: Path) -> None:
    (folder / "volume" / BACKEND.name).write_text(backend(["127.0.0.1:http"]))
    assert not check(folder).startswith("0\n")
