"""The service says so if the database does not bind it to one tenant's rows."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import pytest
from psycopg import sql

from service.clock import ManualClock
from service.database.engine import Database as ServiceDatabase
from service.database.role import RoleCheck
from service.observability.metrics import Metrics
from service.settings import Settings
from tests.harness import eventually, running
from tests.servers import Database

pytestmark = pytest.mark.integration

WARNING = "database_role_bypasses_rls"


@contextmanager
def _role(database: Database, name: str, attributes: LiteralString) -> Iterator[None]:
    """Another role that may connect, while the block lasts."""
    secret = sql.Literal(database.server.password_file.read_text())
    role = sql.Identifier(name)
    with database.server.connect("postgres", "postgres") as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, secret) + sql.SQL(attributes))
        try:
            yield
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def _connecting_as(role: str, database: Database) -> Settings:
    return database.settings().model_copy(update={"database_url": database.url(role)})


@pytest.mark.parametrize(
    ("attributes", "restricted"), [("", 1), (" BYPASSRLS", 0), (" SUPERUSER", 0), (" IN ROLE janua", 0)]
)
async def test_whom_row_level_security_binds(
    migrated: Database, caplog: pytest.LogCaptureFixture, attributes: LiteralString, restricted: int
) -> None:
    with _role(migrated, "somebody", attributes):
        await _check(migrated, caplog, "somebody", restricted)


@pytest.mark.parametrize(("role", "restricted"), [("janua_app", 1), ("janua", 0)])
async def test_the_application_s_role_is_bound_and_the_owner_is_not(
    migrated: Database, caplog: pytest.LogCaptureFixture, role: str, restricted: int
) -> None:
    await _check(migrated, caplog, role, restricted)


async def _check(migrated: Database, caplog: pytest.LogCaptureFixture, role: str, restricted: int) -> None:
    clock = ManualClock()
    metrics = Metrics(release="test", clock=clock)
    database = ServiceDatabase(_connecting_as(role, migrated))
    await asyncio.wait_for(RoleCheck(database, clock, metrics).run(), 30)
    await database.close()
    assert metrics.registry.get_sample_value("janua_database_role_restricted") == restricted
    warnings = [record for record in caplog.records if record.message == WARNING]
    assert len(warnings) == 1 - restricted


async def test_it_is_told_once_the_database_can_say(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """An empty database has no tables yet that anybody could own."""
    clock = ManualClock()
    async with running(_connecting_as("janua", database), clock=clock) as api:
        await asyncio.sleep(0.5)
        assert str(api.metric("janua_database_role_restricted")) == "nan"
        with database.connect() as connection:
            connection.execute("CREATE TABLE users (id int)")
            connection.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
        clock.advance(60)
        await eventually(lambda: api.metric("janua_database_role_restricted") == 0)
        clock.advance(60)
        await asyncio.sleep(0.2)
    assert len([record for record in caplog.records if record.message == WARNING]) == 1
