"""The SQL about sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    String,
    Update,
    Uuid,
    bindparam,
    insert,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.repository import AuditEntry, RecordedChange, Recorder
from service.audit.trail import Trail
from service.database.engine import Database
from service.database.lookup import LookUp
from service.database.scope import Subject
from service.database.tables import rotated_tokens, sessions, tenants, users
from service.database.types import AnyRow, UtcDateTime, Values
from service.users.models import Grants, User
from service.users.repository import GRANT_COLUMNS, USER_COLUMNS, grants_of, user_of, with_grants

TOUCHED = (sessions.c.tenant_id, sessions.c.user_id, sessions.c.id.label("session_id"), sessions.c.token)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The two tokens of a session, as hashes, and until when each is accepted."""

    token: str
    refresh_token: str
    expires_at: datetime
    refresh_expires_at: datetime


_WRITTEN = ("id", "created_at", "user_agent", "is_active", *Tokens.__slots__)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session about to be written. `version` is that of the user whose password was verified."""

    id: UUID
    subject: Subject
    version: int
    tokens: Tokens
    created_at: datetime
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything that a valid access token stands for. `version`: that of the user when it was read."""

    session_id: UUID
    tenant_id: UUID
    expires_at: datetime
    version: int
    user: User
    grants: Grants


def opening(unless: ColumnElement[bool]) -> RecordedChange:
    """The change that opens a session, unless its user was changed since the version was read or `unless` holds.

    The user's row is locked against changes until the commit, and whoever changes it looks for sessions after
    having done so: no session can slip through with a password or with roles that are not valid any more.
    """
    parameters = [bindparam(f"new_{name}", type_=sessions.c[name].type) for name in _WRITTEN]
    owner = (
        select(*parameters, users.c.tenant_id, users.c.id)
        .where(
            users.c.id == bindparam("owner_id", type_=Uuid),
            users.c.tenant_id == bindparam("owner_tenant_id", type_=Uuid),
            users.c.version == bindparam("owner_version", type_=BigInteger),
            ~unless,
        )
        .with_for_update(read=True)
    )
    change = insert(sessions).from_select([*_WRITTEN, "tenant_id", "user_id"], owner)
    return RecordedChange(change.returning(*TOUCHED))


async def open_session(
    trail: Trail, opening: RecordedChange, session: NewSession, entry: AuditEntry, values: Values
) -> bool:
    """Write a session by a change that `opening` gave; `values` are those of its condition. Whether it did."""
    row = {
        "id": session.id,
        "created_at": session.created_at,
        "user_agent": session.user_agent,
        "is_active": True,
        **{name: getattr(session.tokens, name) for name in Tokens.__slots__},
    }
    owner = {
        "owner_id": session.subject.user_id,
        "owner_tenant_id": session.subject.tenant_id,
        "owner_version": session.version,
    }
    written = {f"new_{name}": row[name] for name in _WRITTEN}
    return bool(await trail.change(session.subject.scope, entry, opening, {**written, **owner, **values}))


async def find_identity(database: Database, token_hash: str, now: datetime) -> Identity | None:
    """Whom an access token stands for at `now`, in one query; None if it is unknown, ended or expired."""
    rows = await _identity.ask(database, token_hash, now)
    if not rows:
        return None
    first = rows[0]
    return Identity(first.session_id, first.tenant_id, first.expires_at, first.version, user_of(first), grants_of(rows))


async def end_session(trail: Trail, subject: Subject, session_id: UUID, entry: AuditEntry) -> str | None:
    """End one session of a user; its access token's hash, or None if the user has no such live session."""
    values = {
        "ending_id": session_id,
        "ending_tenant_id": subject.tenant_id,
        "ending_user_id": subject.user_id,
        "ending_at": entry.at,
    }
    touched = await trail.change(subject.scope, entry, _ending, values)
    return touched[0].token if touched else None


async def end_sessions(recorder: Recorder, subject: Subject, entry: AuditEntry) -> list[str]:
    """End every live session of a user; the hashes of their access tokens."""
    change = live(subject.tenant_id).where(sessions.c.user_id == subject.user_id)
    return [row.token for row in await recorder.change(entry, RecordedChange(_ended(change, entry.at)))]


async def end_other_sessions(
    connection: AsyncConnection, subject: Subject, kept: UUID, at: datetime, since: datetime
) -> list[str]:
    """End every live session of a user but one, as part of a change that is recorded itself.

    Returns the hashes of all the user's access tokens that may be cached, as `tokens_with_copies` does.
    """
    change = live(subject.tenant_id).where(sessions.c.user_id == subject.user_id, sessions.c.id != kept)
    ending, copied = _ended(change, at), _tokens_with_copies(subject, since)
    if connection.dialect.name == postgresql.dialect.name:
        # One statement. What it ends may just have been refreshed: only the ending has waited for that, and tells
        # the new token; the rest of it sees the sessions as they were before.
        return await _tokens(connection, select(ending.cte("ended").c.token), *copied)
    ended = [row.token for row in await connection.execute(ending)]
    return ended + await _tokens(connection, *copied)


async def confirm_session(recorder: Recorder, subject: Subject, session_id: UUID, entry: AuditEntry) -> bool:
    """Record what a live session is used for; False if the user has no such live session at `entry.at`.

    The row is locked until the commit: a logout is either seen here, or comes after.
    """
    alive = (
        select(*TOUCHED)
        .where(
            sessions.c.tenant_id == subject.tenant_id,
            sessions.c.user_id == subject.user_id,
            sessions.c.id == session_id,
            sessions.c.is_active == true(),
            sessions.c.expires_at > entry.at,
        )
        .with_for_update(read=True)
    )
    return bool(await recorder.change(entry, RecordedChange(alive)))


async def list_sessions(
    connection: AsyncConnection, subject: Subject, now: datetime, after: UUID | None, limit: int
) -> Sequence[AnyRow]:
    """Live sessions of a user that can still be refreshed at `now`, the newest first, older than `after`."""
    statement = (
        select(
            sessions.c.id,
            sessions.c.created_at,
            sessions.c.expires_at,
            sessions.c.refresh_expires_at,
            sessions.c.user_agent,
        )
        .where(
            sessions.c.tenant_id == subject.tenant_id,
            sessions.c.user_id == subject.user_id,
            sessions.c.is_active == true(),
            sessions.c.refresh_expires_at > now,
        )
        .order_by(sessions.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(sessions.c.id < after)
    return (await connection.execute(statement)).all()


async def tokens_with_copies(connection: AsyncConnection, subject: Subject, since: datetime) -> list[str]:
    """The hashes of a user's access tokens that may be cached: live ones, and those replaced or ended `since`."""
    return await _tokens(connection, *_tokens_with_copies(subject, since))


async def _tokens(connection: AsyncConnection, *parts: Select[tuple[str]]) -> list[str]:
    return list(await connection.scalars(union_all(*parts)))


def _tokens_with_copies(subject: Subject, since: datetime) -> tuple[Select[tuple[str]], Select[tuple[str]]]:
    own = sessions.c.tenant_id == subject.tenant_id, sessions.c.user_id == subject.user_id
    present = select(sessions.c.token).where(*own, or_(sessions.c.is_active == true(), sessions.c.ended_at > since))
    replaced = (
        select(rotated_tokens.c.access_token)
        .join(sessions, sessions.c.id == rotated_tokens.c.session_id)
        .where(*own, rotated_tokens.c.rotated_at > since)
    )
    return present, replaced


async def replaced_tokens(
    connection: AsyncConnection, subject: Subject, session_id: UUID, since: datetime
) -> list[str]:
    """The hashes of the access tokens that a session of a user had, and that were replaced `since`."""
    statement = select(rotated_tokens.c.access_token).where(
        rotated_tokens.c.tenant_id == subject.tenant_id,
        rotated_tokens.c.session_id == session_id,
        rotated_tokens.c.rotated_at > since,
    )
    return list((await connection.execute(statement)).scalars())


def live(tenant_id: UUID | BindParameter[UUID]) -> Update:
    """A change of live sessions of a tenant, to be completed."""
    return update(sessions).where(sessions.c.tenant_id == tenant_id, sessions.c.is_active == true())


def _ended(change: Update, at: datetime | BindParameter[datetime]) -> Any:
    return change.values(is_active=False, ended_at=at).returning(*TOUCHED)


def _identity_look_up() -> LookUp:
    token, now = bindparam("token_hash", type_=String), bindparam("now", type_=UtcDateTime)
    source = sessions.join(users, users.c.id == sessions.c.user_id).join(tenants, tenants.c.id == sessions.c.tenant_id)
    plain = (
        select(
            sessions.c.id.label("session_id"),
            sessions.c.tenant_id,
            sessions.c.expires_at,
            users.c.version,
            *USER_COLUMNS,
            *GRANT_COLUMNS,
        )
        .select_from(with_grants(source))
        .where(sessions.c.token == token, sessions.c.is_active == true(), sessions.c.expires_at > now)
    )
    return LookUp("janua_identity", [token, now], plain)


def _session_ending() -> RecordedChange:
    own = (
        sessions.c.id == bindparam("ending_id", type_=Uuid),
        sessions.c.user_id == bindparam("ending_user_id", type_=Uuid),
    )
    change = live(bindparam("ending_tenant_id", type_=Uuid)).where(*own)
    return RecordedChange(_ended(change, bindparam("ending_at", type_=UtcDateTime)))


_identity = _identity_look_up()
_ending = _session_ending()
