"""The rules of sessions: opening, listing and ending them."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from service import problems
from service.access import Caller
from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry, RecordedChange
from service.audit.trail import Trail
from service.cache.service import CacheService
from service.clock import Clock
from service.database.engine import Database
from service.database.scope import Subject
from service.database.types import Values
from service.ids import new_id
from service.pagination import Page
from service.sessions.models import LoginAnswer, Session
from service.sessions.repository import (
    Identity,
    NewSession,
    end_session,
    end_sessions,
    list_sessions,
    open_session,
    tokens_with_copies,
)
from service.sessions.rules import Lifetimes, token_pair
from service.tokens.opaque import new_token
from service.users.models import User
from service.users.repository import Account


@dataclass(frozen=True, slots=True)
class SessionService:
    """Every method may raise ProblemError."""

    database: Database
    trail: Trail
    cache: CacheService
    clock: Clock
    lifetimes: Lifetimes

    async def open(
        self, account: Account, user: User, user_agent: str | None, opening: RecordedChange, values: Values
    ) -> LoginAnswer | None:
        """Open a session; None if the account has changed since it was read, or the condition of `opening` holds."""
        access_token, refresh_token, now = new_token(), new_token(), self.clock.now()
        session = NewSession(
            id=new_id(),
            subject=Subject(account.tenant_id, user.id),
            version=account.version,
            tokens=self.lifetimes.begin(access_token, refresh_token, now, opened_at=now),
            created_at=now,
            user_agent=user_agent,
        )
        ticket = await self.cache.begin_load(session.tokens.token)
        entry = AuditEntry(AuditEvent.LOGIN_SUCCESS, now)
        if not await open_session(self.trail, opening, session, entry, values):
            return None
        identity = Identity(
            session.id, account.tenant_id, session.tokens.expires_at, account.version, user, account.grants
        )
        await self.cache.finish_load(ticket, session.tokens.token, identity)
        return LoginAnswer(**dict(token_pair(access_token, refresh_token, session.tokens, now)), user=user)

    async def logout(self, caller: Caller) -> None:
        """End the caller's session; when this returns its token is refused everywhere. Problems: 401."""
        if not await self.end_one(caller.subject, caller.session_id, AuditEvent.LOGOUT, caller.token_hash):
            # Whoever ended that session may have died before its copies were removed.
            await self.cache.drop_token(caller.token_hash)
            raise problems.invalid_token()

    async def logout_all(self, caller: Caller) -> None:
        """End every session of the caller's user. Problems: 401."""
        entry = AuditEntry(AuditEvent.LOGOUT_ALL, self.clock.now())
        async with self.trail.writing(caller.subject.scope) as recorder:
            ended = await end_sessions(recorder, caller.subject, entry)
        await self.revoke_copies(caller.subject)
        if not ended:
            raise problems.invalid_token()

    async def end(self, caller: Caller, session_id: UUID) -> None:
        """End one session of the caller's user. Problems: 404."""
        if not await self.end_one(caller.subject, session_id, AuditEvent.SESSION_ENDED):
            raise problems.not_found("session")

    async def list(self, caller: Caller, after: UUID | None, limit: int) -> Page[Session]:
        """The live sessions of the caller's user, the newest first."""
        async with self.database.reading(caller.subject.scope) as connection:
            rows = await list_sessions(connection, caller.subject, self.clock.now(), after, limit + 1)
        sessions = [Session(**row._mapping, current=row.id == caller.session_id) for row in rows]
        return Page[Session].cut(sessions, limit, lambda session: session.id.hex)

    async def revoke_copies(self, subject: Subject, kept: str | None = None) -> None:
        """Let no replica believe a copy of a user's tokens, but that of `kept`; the live ones are copied anew.

        Those of before too: whoever replaced or ended one may have died before its copies were removed.
        """
        # What was replaced before has expired since.
        since = self.clock.now() - timedelta(seconds=self.lifetimes.access_seconds)
        async with self.database.reading(subject.scope) as connection:
            tokens = await tokens_with_copies(connection, subject, since)
        await self.cache.revoke_tokens([token for token in tokens if token != kept])

    async def end_one(self, subject: Subject, session_id: UUID, event: AuditEvent, *presented: str) -> bool:
        """End a session if it lives, and let no replica believe its token any more.

        Nor a token that was `presented` for it, which a refresh may have replaced without removing the copies.
        """
        entry = AuditEntry(event, self.clock.now())
        token_hash = await end_session(self.trail, subject, session_id, entry)
        if token_hash is None:
            return False
        await self.cache.revoke_tokens(list(dict.fromkeys([token_hash, *presented])))
        return True
