from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.deployment import Deployment


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack that `make up` brought up from a clean clone."""
    deployment = Deployment.create(tmp_path_factory.mktemp("staging") / "clone")
    try:
        up = deployment.shell("make up")
        assert up.returncode == 0, up.stdout
        (deployment.folder / "up.log").write_text(up.stdout)
        yield deployment
    finally:
        deployment.remove()


@pytest.fixture
def edited(staging: Deployment) -> Iterator[Path]:
    """The clone's folder, to be changed by a test: put back as it was afterwards."""
    before = {path: path.read_bytes() for path in _sources(staging.folder)}
    yield staging.folder
    for path in _sources(staging.folder):
        if path not in before:
            path.unlink()
    for path, content in before.items():
        path.write_bytes(content)


def _sources(folder: Path) -> list[Path]:
    parts = ("alerts", "infra/jobs", "loadtest", "migrations", "service")
    return [path for part in parts for path in (folder / part).rglob("*") if path.is_file() and path.suffix != ".pyc"]
