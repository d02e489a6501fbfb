"""Fixtures: a migrated SQLite file for each test, and an application over it."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from service.settings import Settings
from tests.unit.service.harness import Api, running

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("database") / "migrated.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JANUA_DATABASE_URL", f"sqlite:///{file}")
        command.upgrade(Config(ROOT / "alembic.ini"), "head")
    return file


@pytest.fixture
def settings(migrated: Path, tmp_path: Path) -> Settings:
    """A database of the test's own, and deadlines that a busy machine does not miss."""
    file = shutil.copy(migrated, tmp_path / "janua.db")
    return Settings(database_url=f"sqlite:///{file}", hash_deadline_seconds=60, database_timeout_seconds=30)


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    async with running(settings) as started:
        yield started
