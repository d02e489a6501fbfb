"""Ending sessions beside requests that change them: on PostgreSQL, where one waits for the other's row."""

import asyncio
from datetime import UTC, datetime

import pytest

from service.database.engine import Database
from service.database.scope import Subject
from service.sessions.repository import end_other_sessions
from service.tokens.opaque import fingerprint
from tests.harness import PASSWORD, eventually
from tests.replicas import Seeder
from tests.servers import Database as Migrated

pytestmark = pytest.mark.integration

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_a_session_that_is_refreshed_meanwhile_tells_both_its_tokens(migrated: Migrated) -> None:
    seeder = Seeder(migrated, PASSWORD)
    [user] = seeder.users(1, seeder.default_tenant())
    kept, refreshed = seeder.sessions([user, user])
    database, subject = Database(migrated.settings()), Subject(user.tenant_id, user.id)
    now = datetime.now(UTC)

    async def end_others() -> list[str]:
        async with database.transaction(subject.scope) as connection:
            return await end_other_sessions(connection, subject, kept.id, now, now)

    with migrated.connect("postgres") as other, migrated.connect("postgres") as observer:
        async with asyncio.TaskGroup() as group:
            with other.transaction():
                other.execute("UPDATE sessions SET token = 'its new token' WHERE id = %s", (refreshed.id,))
                ending = group.create_task(end_others())
                await eventually(lambda: observer.execute(WAITING).fetchone() == (1,))
    tokens = ending.result()
    assert {*tokens} == {"its new token", fingerprint(refreshed.token), fingerprint(kept.token)}
    await database.close()
