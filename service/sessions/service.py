"""The rules of sessions: opening, resolving, refreshing and ending them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement

from service import problems
from service.access import Caller
from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry
from service.audit.trail import Trail
from service.cache.entries import Validation, validation_of
from service.cache.service import CacheService
from service.clock import Clock
from service.database.engine import Database
from service.database.scope import Subject
from service.ids import new_id
from service.pagination import Page
from service.sessions.models import LoginAnswer, Session
from service.sessions.repository import (
    Identity,
    NewSession,
    end_session,
    end_sessions,
    find_identity,
    list_sessions,
    open_session,
)
from service.sessions.rules import Lifetimes, token_pair
from service.tokens.opaque import fingerprint, is_well_formed, new_token
from service.users.models import Profile, User
from service.users.repository import Account


@dataclass(frozen=True, slots=True)
class SessionService:
    """Every method may raise ProblemError."""

    database: Database
    trail: Trail
    cache: CacheService
    clock: Clock
    lifetimes: Lifetimes

    async def resolve(self, token: str, tenant: str | None) -> Caller:
        """Whom an access token stands for. `tenant`: the one that the caller expects. Problems: 401."""
        token_hash = _token_hash(token)
        return _caller(token_hash, await self._validation(token_hash, tenant))

    async def validate(self, token: str, tenant: str | None) -> Validation:
        """The same as the hot path needs it. Problems: 401."""
        return await self._validation(_token_hash(token), tenant)

    async def profile(self, token: str, tenant: str | None) -> Profile:
        """The user of an access token with roles and permissions. Problems: 401."""
        token_hash = _token_hash(token)
        session = await self.cache.get_session(token_hash)
        profile = await self.profile_of(token_hash, session.user_id if session else None)
        _require_tenant(profile.tenant, tenant)
        return profile

    async def profile_of(self, token_hash: str, user_id: UUID | None) -> Profile:
        """The same where the token is known to be valid and, perhaps, whose it is. Problems: 401."""
        user, grants = await self.cache.get_profile(user_id) if user_id else (None, None)
        if user is None or grants is None:
            identity = await self._load(token_hash)
            user, grants = identity.user, identity.grants
        return Profile(**user.model_dump(), **grants.model_dump())

    async def open(
        self, account: Account, user: User, user_agent: str | None, *, unless: ColumnElement[bool]
    ) -> LoginAnswer | None:
        """Open a session; None if the account has changed since it was read, or if `unless` holds."""
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
        async with self.trail.writing(session.subject.scope) as recorder:
            if not await open_session(recorder, session, AuditEntry(AuditEvent.LOGIN_SUCCESS, now), unless=unless):
                return None
        identity = Identity(
            session.id, account.tenant_id, session.tokens.expires_at, account.version, user, account.grants
        )
        await self.cache.finish_load(ticket, session.tokens.token, identity)
        return LoginAnswer(**token_pair(access_token, refresh_token, session.tokens, now).model_dump(), user=user)

    async def logout(self, caller: Caller) -> None:
        """End the caller's session; when this returns its token is refused everywhere. Problems: 401."""
        if not await self.end_one(caller.subject, caller.session_id, AuditEvent.LOGOUT):
            # Whoever ended that session may have died before its copies were removed.
            await self.cache.drop_token(caller.token_hash)
            raise problems.invalid_token()

    async def logout_all(self, caller: Caller) -> None:
        """End every session of the caller's user. Problems: 401."""
        entry = AuditEntry(AuditEvent.LOGOUT_ALL, self.clock.now())
        async with self.trail.writing(caller.subject.scope) as recorder:
            ended = await end_sessions(recorder, caller.subject, entry)
        if caller.token_hash not in ended:
            await self.cache.drop_token(caller.token_hash)
        await self.cache.revoke_tokens(ended)
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

    async def _validation(self, token_hash: str, tenant: str | None) -> Validation:
        validation = await self.cache.get_validation(token_hash)
        if validation is None:
            validation = validation_of(await self._load(token_hash))
        _require_tenant(validation.tenant, tenant)
        return validation

    async def _load(self, token_hash: str) -> Identity:
        ticket = await self.cache.begin_load(token_hash)
        async with self.database.reading() as connection:
            identity = await find_identity(connection, token_hash, self.clock.now())
        if identity is None:
            raise problems.invalid_token()
        await self.cache.finish_load(ticket, token_hash, identity)
        return identity

    async def end_one(self, subject: Subject, session_id: UUID, event: AuditEvent) -> bool:
        """End a session if it lives, and let no replica believe its token any more."""
        entry = AuditEntry(event, self.clock.now())
        async with self.trail.writing(subject.scope) as recorder:
            token_hash = await end_session(recorder, subject, session_id, entry)
        if token_hash is None:
            return False
        await self.cache.revoke_tokens([token_hash])
        return True


def _token_hash(token: str) -> str:
    if not is_well_formed(token):
        raise problems.invalid_token()
    return fingerprint(token)


def _require_tenant(actual: str, expected: str | None) -> None:
    """A token is worth nothing in a tenant that is not its own."""
    if expected is not None and expected != actual:
        raise problems.invalid_token()


def _caller(token_hash: str, validation: Validation) -> Caller:
    return Caller(
        token_hash=token_hash,
        user_id=validation.user_id,
        tenant_id=validation.tenant_id,
        tenant=validation.tenant,
        session_id=validation.session_id,
        permissions=frozenset(validation.permissions),
        expires_at=validation.expires_at,
    )
