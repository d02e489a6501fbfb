"""Liveness and readiness."""

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from service.clock import ManualClock
from service.database.tables import REQUIRED_REVISION
from service.settings import Settings
from tests.harness import Api, SharedStore, problem, running
from tests.servers import ROOT


async def test_ready_with_database_and_cache(api: Api) -> None:
    assert (await api.client.get("/livez")).json() == {"status": "alive"}
    answer = await api.client.get("/readyz")
    assert answer.status_code == 200
    checks = {"database": "ok", "migrations": "ok", "cache": "ok"}
    assert answer.json() == {"status": "ready", "release": "dev", "checks": checks}


async def test_an_unmigrated_database_is_waited_for(settings: Settings, tmp_path: Path) -> None:
    empty = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/empty.db"})
    async with running(empty) as api:
        document = problem(await api.client.get("/readyz"), 503, "not-ready")
        assert document["waiting_for"] == ["migrations"]
        assert document["checks"]["database"] == "ok"
        assert document["checks"]["migrations"] == f"at no revision, needs {REQUIRED_REVISION}"
        assert (await api.client.get("/livez")).status_code == 200


async def test_a_database_out_of_reach_is_waited_for(settings: Settings, tmp_path: Path) -> None:
    unreachable = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}"})  # no file, a folder
    async with running(unreachable) as api:
        document = problem(await api.client.get("/readyz"), 503, "not-ready")
        assert document["waiting_for"] == ["database"]
        assert document["checks"]["database"] == "unreachable (OperationalError)"
        assert document["checks"]["migrations"] == "unknown"


async def test_a_replica_that_drains_wants_no_more_requests(api: Api) -> None:
    api.app.state.draining = True
    document = problem(await api.client.get("/readyz"), 503, "not-ready")
    assert document["waiting_for"] == ["draining"]
    assert (await api.client.get("/livez")).status_code == 200


@pytest.mark.parametrize(("revision", "status"), [("005", 503), (REQUIRED_REVISION, 200), ("099_later", 200)])
async def test_the_revision_must_be_this_one_or_newer(api: Api, revision: str, status: int) -> None:
    async with api.app.state.database.writing(None) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    answer = await api.client.get("/readyz")
    assert answer.status_code == status
    if status == 503:
        assert answer.json()["waiting_for"] == ["migrations"]
        assert f"at revision 005, needs {REQUIRED_REVISION}" in answer.json()["detail"]


async def test_without_the_cache_the_service_is_ready_but_degraded(settings: Settings) -> None:
    clock = ManualClock()
    view = SharedStore(clock).view()
    async with running(settings, clock=clock, store=view) as api:
        assert (await api.client.get("/readyz")).json()["status"] == "ready"
        view.down = True
        answer = await api.client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["checks"]["cache"] != "ok"


def test_the_required_revision_is_the_newest() -> None:
    assert ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_current_head() == REQUIRED_REVISION
