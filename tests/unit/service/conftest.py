"""Fixtures: an application over SQLite and an in-process cache."""

from collections.abc import AsyncIterator

import pytest

from service.settings import Settings
from tests.harness import Api, running


@pytest.fixture
def settings(sqlite_settings: Settings) -> Settings:
    return sqlite_settings


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    async with running(settings) as started:
        yield started
