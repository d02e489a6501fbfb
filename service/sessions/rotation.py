"""The SQL about exchanging refresh tokens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import FromClause, Insert, String, bindparam, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.repository import AuditEntry, RecordedChange, Recorder
from service.database.engine import Database
from service.database.lookup import LookUp
from service.database.scope import Subject
from service.database.tables import rotated_tokens, sessions, tenants, users
from service.database.types import UtcDateTime
from service.sessions.repository import TOUCHED, Tokens, live
from service.users.models import User
from service.users.repository import USER_COLUMNS, user_of


@dataclass(frozen=True, slots=True)
class Refreshable:
    """The session that a refresh token belongs to, whatever its state.

    `token` and `refresh_token` are the hashes of those that it has now; `rotated_at` says since when the one
    that was presented is not among them any more.
    """

    session_id: UUID
    tenant_id: UUID
    token: str
    refresh_token: str
    is_active: bool
    opened_at: datetime
    expires_at: datetime
    refresh_expires_at: datetime
    rotated_at: datetime | None
    user: User

    @property
    def tokens(self) -> Tokens:
        """The tokens that it has now."""
        return Tokens(self.token, self.refresh_token, self.expires_at, self.refresh_expires_at)

    @property
    def subject(self) -> Subject:
        """Whose it is."""
        return Subject(self.tenant_id, self.user.id)


async def find_refreshable(database: Database, refresh_hash: str) -> Refreshable | None:
    """The session of a refresh token, of one that was rotated too; None if there never was such a token."""
    rows = await _refreshable.ask(database, refresh_hash)
    if not rows:
        return None
    row = rows[0]
    names = [name for name in Refreshable.__slots__ if name != "user"]
    return Refreshable(**{name: getattr(row, name) for name in names}, user=user_of(row))


async def find_replaced(connection: AsyncConnection, subject: Subject, refresh_hash: str) -> list[str]:
    """The hash of the access token that was replaced together with a refresh token; none if that was not rotated."""
    statement = select(rotated_tokens.c.access_token).where(
        rotated_tokens.c.tenant_id == subject.tenant_id, rotated_tokens.c.token == refresh_hash
    )
    return list((await connection.execute(statement)).scalars())


async def rotate_tokens(
    recorder: Recorder, session: Refreshable, presented: str, tokens: Tokens, entry: AuditEntry
) -> bool:
    """Give a session new tokens in place of the presented refresh token; False if that is not its own any more."""

    def remember(whom: FromClause) -> Insert:
        values = {
            "token": presented,
            "access_token": session.token,
            "session_id": session.session_id,
            "rotated_at": entry.at,
        }
        literals = [literal(value, rotated_tokens.c[name].type) for name, value in values.items()]
        return insert(rotated_tokens).from_select([*values, "tenant_id"], select(*literals, whom.c.tenant_id))

    change = (
        live(session.tenant_id)
        .where(sessions.c.id == session.session_id, sessions.c.refresh_token == presented)
        .values({name: getattr(tokens, name) for name in Tokens.__slots__})
    )
    return bool(await recorder.change(entry, RecordedChange(change.returning(*TOUCHED), remember)))


def _refreshable_look_up() -> LookUp:
    refresh_token = bindparam("refresh_hash", type_=String)
    current = select(sessions.c.id, literal(None, UtcDateTime).label("rotated_at")).where(
        sessions.c.refresh_token == refresh_token
    )
    rotated = select(rotated_tokens.c.session_id, rotated_tokens.c.rotated_at).where(
        rotated_tokens.c.token == refresh_token
    )
    presented = current.union_all(rotated).subquery("presented")
    plain = (
        select(
            sessions.c.id.label("session_id"),
            sessions.c.tenant_id,
            sessions.c.token,
            sessions.c.refresh_token,
            sessions.c.is_active,
            sessions.c.created_at.label("opened_at"),
            sessions.c.expires_at,
            sessions.c.refresh_expires_at,
            presented.c.rotated_at,
            *USER_COLUMNS,
        )
        .join(presented, presented.c.id == sessions.c.id)
        .join(users, users.c.id == sessions.c.user_id)
        .join(tenants, tenants.c.id == sessions.c.tenant_id)
    )
    return LookUp("janua_refreshable", [refresh_token], plain)


_refreshable = _refreshable_look_up()
