"""The SQL that deletes what has expired, in all tenants: hence with the rights of the tables' owner."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from service.database.tables import login_failures, sessions
from service.database.types import UtcDateTime


@dataclass(frozen=True, slots=True)
class Expired:
    """What is past all use at `at`.

    A session whose access token expired before `tokens_before` cannot be refreshed any more (its own
    `refresh_expires_at` is looked at as well, but has no index); a count of failed logins that began before
    `failures_before` is over.
    """

    at: datetime
    tokens_before: datetime
    failures_before: datetime


async def delete_expired(connection: AsyncConnection, expired: Expired, most: int) -> int:
    """Delete such failure counts and at most `most` such sessions, the oldest first; the number of sessions.

    On PostgreSQL sessions that somebody else is just deleting are passed over.
    """
    if connection.dialect.name == postgresql.dialect.name:
        instants = (expired.tokens_before, expired.at, expired.failures_before)
        arguments = [literal(instant, UtcDateTime) for instant in instants]
        deleted: int = (await connection.execute(select(func.janua_delete_expired(*arguments, most)))).scalar_one()
        return deleted
    await connection.execute(delete(login_failures).where(login_failures.c.window_started_at < expired.failures_before))
    oldest = (
        select(sessions.c.id)
        .where(sessions.c.expires_at < expired.tokens_before, sessions.c.refresh_expires_at < expired.at)
        .order_by(sessions.c.expires_at)
        .limit(most)
    )
    return (await connection.execute(delete(sessions).where(sessions.c.id.in_(oldest)))).rowcount
