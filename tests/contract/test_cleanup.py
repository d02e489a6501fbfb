"""Sessions and failure counts that are past all use are deleted, and no others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, func, insert, select

from service.auth.lockout import Lockout
from service.clock import ManualClock
from service.database.engine import Database
from service.database.scope import Scope
from service.database.tables import login_failures, rotated_tokens, sessions, users
from service.ids import new_id
from service.observability.metrics import Metrics
from service.sessions.cleanup import MOST, PAUSE_SECONDS, Cleanup
from service.settings import Settings
from service.tenants.repository import find_tenant_id
from tests.harness import eventually, running

ACCESS, REFRESH, WINDOW = timedelta(hours=1), timedelta(days=30), timedelta(minutes=15)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Cleaned:
    """A database with one user, a clock that stands still, and what cleans it up."""

    database: Database
    clock: ManualClock
    metrics: Metrics
    cleanup: Cleanup
    tenant_id: UUID
    user_id: UUID

    async def add_sessions(self, *issued_at: datetime, **others: Any) -> Sequence[UUID]:
        """Sessions whose tokens were last issued then; their ids."""
        rows = [
            {
                "id": new_id(),
                "tenant_id": self.tenant_id,
                "user_id": self.user_id,
                "token": new_id().hex,
                "refresh_token": new_id().hex,
                "is_active": True,
                "created_at": moment,
                "expires_at": moment + ACCESS,
                "refresh_expires_at": moment + REFRESH,
                **others,
            }
            for moment in issued_at
        ]
        await self.add(sessions, *rows)
        return [row["id"] for row in rows]

    async def add(self, table: Table, *rows: dict[str, Any]) -> None:
        async with self.database.writing(Scope(self.tenant_id)) as connection:
            await connection.execute(insert(table).values(rows))

    async def values(self, column: Any) -> list[Any]:
        async with self.database.reading(Scope(self.tenant_id)) as connection:
            return [row[0] for row in await connection.execute(select(column).order_by(column))]

    async def count(self) -> int:
        async with self.database.reading(Scope(self.tenant_id)) as connection:
            return int((await connection.execute(select(func.count()).select_from(sessions))).scalar_one())

    @property
    def counted(self) -> float | None:
        return self.metrics.registry.get_sample_value("janua_sessions_cleaned_total")


@asynccontextmanager
async def _cleaned(settings: Settings) -> AsyncIterator[Cleaned]:
    clock = ManualClock()
    clock.advance(timedelta(days=365).total_seconds())
    database, metrics = Database(settings), Metrics(release="test", clock=clock)
    lockout = Lockout(settings.login_failures, settings.login_window_seconds)
    cleanup = Cleanup(settings, database, lockout, clock, metrics)
    tenant_id = await find_tenant_id(database, "default")
    assert tenant_id is not None
    cleaned = Cleaned(database, clock, metrics, cleanup, tenant_id, new_id())
    moment = clock.now()
    user = {"id": cleaned.user_id, "tenant_id": tenant_id, "email": "ada@example.com", "password_hash": ""}
    await cleaned.add(users, user | {"created_at": moment, "updated_at": moment})
    yield cleaned
    await database.close()


@pytest.fixture
async def cleaned(settings: Settings) -> AsyncIterator[Cleaned]:
    async with _cleaned(settings) as made:
        yield made


async def test_what_can_be_used_or_refreshed_stays(cleaned: Cleaned) -> None:
    now = cleaned.clock.now()
    kept = await cleaned.add_sessions(now, now - ACCESS, now - REFRESH + SECOND, now - REFRESH - ACCESS + SECOND)
    # Its lifetimes were cut by the end of the session, or set by settings of before.
    kept = [*kept, *await cleaned.add_sessions(now - 2 * REFRESH, refresh_expires_at=now + SECOND)]
    await cleaned.add_sessions(now - REFRESH - ACCESS - SECOND, now - 2 * REFRESH)
    await cleaned.add_sessions(now - 2 * REFRESH, is_active=False, ended_at=now - 2 * REFRESH)
    await cleaned.cleanup.round()
    assert await cleaned.values(sessions.c.id) == sorted(kept)
    assert cleaned.counted == 3


async def test_rotated_tokens_go_with_their_session(cleaned: Cleaned) -> None:
    now = cleaned.clock.now()
    live, dead = await cleaned.add_sessions(now, now - 2 * REFRESH)
    rotated = {"tenant_id": cleaned.tenant_id, "access_token": "", "rotated_at": now - 2 * REFRESH}
    owners = {"of the live one": live, "of the dead one": dead, "of the dead one, too": dead}
    rows = [rotated | {"token": token, "session_id": session} for token, session in owners.items()]
    await cleaned.add(rotated_tokens, *rows)
    await cleaned.cleanup.round()
    assert await cleaned.values(rotated_tokens.c.token) == ["of the live one"]


async def test_failure_counts_go_when_their_window_is_over(cleaned: Cleaned) -> None:
    now = cleaned.clock.now()
    begun = {"running": now - WINDOW + SECOND, "over": now - WINDOW - SECOND}
    counts = [
        {"tenant_id": cleaned.tenant_id, "account": account, "failures": 10, "window_started_at": moment}
        for account, moment in begun.items()
    ]
    await cleaned.add(login_failures, *counts)
    await cleaned.cleanup.round()
    assert await cleaned.values(login_failures.c.account) == ["running"]
    assert cleaned.counted == 0


async def test_many_go_batch_by_batch_with_a_pause_between(cleaned: Cleaned) -> None:
    now = cleaned.clock.now()
    oldest = now - 4 * REFRESH
    await cleaned.add_sessions(*[now - 2 * REFRESH] * MOST, *[now - 3 * REFRESH] * MOST)
    await cleaned.add_sessions(*[oldest] * 10, now)
    working = asyncio.create_task(cleaned.cleanup.round())
    for deleted in (MOST, 2 * MOST):
        await eventually(lambda deleted=deleted: cleaned.counted == deleted)  # type: ignore[misc]
        # The oldest went first, and nothing more goes before the pause is over.
        await asyncio.sleep(0.05)
        assert await cleaned.count() == 2 * MOST + 11 - deleted
        assert min(await cleaned.values(sessions.c.created_at)) > oldest
        cleaned.clock.advance(PAUSE_SECONDS)
    await asyncio.wait_for(working, 30)
    assert (await cleaned.count(), cleaned.counted) == (1, 2 * MOST + 10)


async def test_a_failure_is_logged_and_makes_the_batches_smaller(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    narrow = settings.model_copy(update={"database_pool_size": 1, "database_timeout_seconds": 0.05})
    async with _cleaned(narrow) as cleaned:
        now = cleaned.clock.now()
        await cleaned.add_sessions(*[now - 2 * REFRESH] * (MOST // 2 + 10))
        async with cleaned.database.reading():  # the only connection
            await cleaned.cleanup.round()
        [record] = [record for record in caplog.records if record.message == "cleanup_failed"]
        assert record.__dict__["fields"]["error"] == "TimeoutError"

        working = asyncio.create_task(cleaned.cleanup.round())
        await eventually(lambda: cleaned.counted == MOST // 2)
        cleaned.clock.advance(PAUSE_SECONDS)
        await asyncio.wait_for(working, 30)
        assert (await cleaned.count(), cleaned.counted) == (0, MOST // 2 + 10)

        # With success they grow again, be there much to delete or nothing: no pause is waited for.
        await cleaned.cleanup.round()
        await cleaned.add_sessions(*[now - 2 * REFRESH] * (MOST - 1))
        await asyncio.wait_for(cleaned.cleanup.round(), 30)
        assert await cleaned.count() == 0


async def test_each_replica_cleans_up_again_and_again(settings: Settings) -> None:
    clock = ManualClock()
    lifetimes = {"access_token_seconds": 60, "refresh_token_seconds": 60, "cleanup_seconds": 10}
    async with running(settings.model_copy(update=lifetimes), clock=clock) as api:
        for total in (1, 2):
            await api.new_person()
            clock.advance(119)
            await asyncio.sleep(0.2)  # a round was due, but could not find anything yet
            assert api.metric("janua_sessions_cleaned_total") == total - 1
            async with asyncio.timeout(30):
                while api.metric("janua_sessions_cleaned_total") != total:
                    clock.advance(10)
                    await asyncio.sleep(0.05)
