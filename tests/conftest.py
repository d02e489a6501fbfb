"""Fixtures that tests of several kinds share."""

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from service.settings import Settings
from tests.logs import Log
from tests.servers import (
    ROOT,
    alembic,
    database,
    migrated,
    own_redis,
    password_file,
    postgres,
    redis,
    shared_redis,
    template,
)
from tests.traces import kept
from tests.zipkin import zipkin

__all__ = [
    "alembic",
    "database",
    "kept",
    "migrated",
    "own_redis",
    "password_file",
    "postgres",
    "redis",
    "shared_redis",
    "template",
    "zipkin",
]

# A machine that stands still for a moment is no failure of a rule.
hypothesis.register_profile("janua", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("janua")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("database") / "migrated.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JANUA_DATABASE_URL", f"sqlite:///{file}")
        command.upgrade(Config(ROOT / "alembic.ini"), "head")
    return file


@pytest.fixture
def sqlite_settings(sqlite_template: Path, tmp_path: Path) -> Settings:
    """A database of the test's own, and deadlines that a busy machine does not miss."""
    file = shutil.copy(sqlite_template, tmp_path / "janua.db")
    return Settings(
        database_url=f"sqlite:///{file}",
        hash_deadline_seconds=60,
        database_timeout_seconds=30,
        request_timeout_seconds=120,
        shutdown_seconds=120,
    )


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Log:
    """What the service logs, on whatever level."""
    return Log(capsys, caplog)
