"""Fixtures: the same application on SQLite alone, and on PostgreSQL and Redis as it is deployed."""

from collections.abc import AsyncIterator

import pytest

from service.settings import Settings
from tests.harness import Api, running
from tests.servers import Database, Redis


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.integration)])
def settings(request: pytest.FixtureRequest) -> Settings:
    if request.param == "sqlite":
        alone: Settings = request.getfixturevalue("sqlite_settings")
        return alone
    database: Database = request.getfixturevalue("migrated")
    redis: Redis = request.getfixturevalue("redis")
    # In its first lease a replica waits with each revocation; there is one for each test.
    return database.settings(**redis.settings, cache_memory_lease_seconds=0.25)


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    async with running(settings) as started:
        yield started
