"""The SQL about sessions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.repository import AuditEntry, Change, change_and_record
from service.database.tables import sessions, tenants, users
from service.users.models import Grants, User
from service.users.repository import GRANT_COLUMNS, USER_COLUMNS, grants_of, user_of, with_grants

_WHOM = (sessions.c.tenant_id, sessions.c.user_id)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session about to be written; the tokens are hashes."""

    id: UUID
    tenant_id: UUID
    user_id: UUID
    token: str
    refresh_token: str
    created_at: datetime
    expires_at: datetime
    refresh_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything that a valid access token stands for."""

    session_id: UUID
    expires_at: datetime
    user: User
    grants: Grants


async def open_session(connection: AsyncConnection, session: NewSession, entry: AuditEntry) -> None:
    """Write a session and its audit row."""
    values = {name: getattr(session, name) for name in NewSession.__slots__}
    await change_and_record(connection, entry, insert(sessions).values(is_active=True, **values).returning(*_WHOM))


async def find_identity(connection: AsyncConnection, token_hash: str, now: datetime) -> Identity | None:
    """Whom an access token stands for at `now`, in one query; None if it is unknown, ended or expired."""
    source = sessions.join(users, users.c.id == sessions.c.user_id).join(tenants, tenants.c.id == sessions.c.tenant_id)
    statement = (
        select(sessions.c.id.label("session_id"), sessions.c.expires_at, *USER_COLUMNS, *GRANT_COLUMNS)
        .select_from(with_grants(source))
        .where(sessions.c.token == token_hash, sessions.c.is_active == true(), sessions.c.expires_at > now)
    )
    rows = (await connection.execute(statement)).all()
    if not rows:
        return None
    return Identity(rows[0].session_id, rows[0].expires_at, user_of(rows[0]), grants_of(rows))


async def end_session(
    connection: AsyncConnection, token_hash: str, tenant: str | None, entry: AuditEntry
) -> Change | None:
    """End the session of an access token, within `tenant` if one is given, and write its audit row.

    None if no live session has that token.
    """
    statement = (
        update(sessions)
        .where(sessions.c.token == token_hash, sessions.c.is_active == true(), sessions.c.expires_at > entry.at)
        .values(is_active=False, ended_at=entry.at)
        .returning(*_WHOM)
    )
    if tenant is not None:
        tenant_id = select(tenants.c.id).where(tenants.c.slug == tenant).scalar_subquery()
        statement = statement.where(sessions.c.tenant_id == tenant_id)
    return await change_and_record(connection, entry, statement)
