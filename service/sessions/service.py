"""The rules of sessions: opening, listing and ending them."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    replaced_tokens,
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
        """End every session of the caller's user, and what is left of ended ones in caches. Problems: 401.

        Raises SQLAlchemyError if neither the store nor the database can be reached.
        """
        now = self.clock.now()
        async with self.trail.transaction(caller.subject.scope) as recorder:
            ended = await end_sessions(recorder, caller.subject, AuditEntry(AuditEvent.LOGOUT_ALL, now))
            tokens = await tokens_with_copies(recorder.connection, caller.subject, self.cache.copied_since(now))
        # Also if none lived: whoever ended them may have died before their copies were removed.
        await self.cache.revoke_tokens([*tokens, caller.token_hash])
        if not ended:
            raise problems.invalid_token()

    async def end(self, caller: Caller, session_id: UUID) -> None:
        """End one session of the caller's user. Problems: 404."""
        replaced = await self.replaced_in(caller.subject, session_id)
        if not await self.end_one(caller.subject, session_id, AuditEvent.SESSION_ENDED, *replaced):
            raise problems.not_found("session")

    async def list(self, caller: Caller, after: UUID | None, limit: int) -> Page[Session]:
        """The live sessions of the caller's user, the newest first."""
        async with self.database.reading(caller.subject.scope) as connection:
            rows = await list_sessions(connection, caller.subject, self.clock.now(), after, limit + 1)
        sessions = [Session(**row._mapping, current=row.id == caller.session_id) for row in rows]
        return Page[Session].cut(sessions, limit, lambda session: session.id.hex)

    async def replaced_in(self, subject: Subject, session_id: UUID) -> Sequence[str]:
        """The hashes of a session's former access tokens that may be cached: whoever replaced one may have died."""
        since = self.cache.copied_since(self.clock.now())
        async with self.database.reading(subject.scope) as connection:
            return await replaced_tokens(connection, subject, session_id, since)

    async def end_one(self, subject: Subject, session_id: UUID, event: AuditEvent, *former: str) -> bool:
        """End a session if it lives, and let no replica believe its token any more, nor `former` ones of it.

        A refresh may have replaced those and died before it removed the copies.
        """
        entry = AuditEntry(event, self.clock.now())
        token_hash = await end_session(self.trail, subject, session_id, entry)
        if token_hash is None:
            return False
        await self.cache.revoke_tokens(list(dict.fromkeys([token_hash, *former])))
        return True
