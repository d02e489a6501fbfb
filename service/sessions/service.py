"""The rules of sessions: opening, resolving, refreshing and ending them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
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
from service.observability.context import name_subject
from service.pagination import Page
from service.sessions.models import LoginAnswer, Session, TokenPair
from service.sessions.repository import (
    Identity,
    NewSession,
    NewTokens,
    Refreshable,
    confirm_session,
    end_session,
    end_sessions,
    find_identity,
    find_refreshable,
    list_sessions,
    open_session,
    rotate_tokens,
)
from service.sessions.rules import RefreshRule, Verdict
from service.settings import Settings
from service.tokens.opaque import fingerprint, is_well_formed, new_token, successors
from service.users.models import Profile, User
from service.users.repository import Account

# Each attempt means that somebody else refreshed in between: 50 at once need no more than two.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class SessionService:
    """Every method may raise ProblemError. `refresh_key` is what successors are derived with."""

    settings: Settings
    database: Database
    trail: Trail
    cache: CacheService
    clock: Clock
    refresh_key: bytes

    async def resolve(self, token: str, tenant: str | None) -> Caller:
        """Whom an access token stands for. `tenant`: the one that the caller expects. Problems: 401."""
        token_hash = _token_hash(token)
        validation = await self.cache.get_validation(token_hash)
        if validation is None:
            validation = validation_of(await self._load(token_hash))
        _require_tenant(validation.tenant, tenant)
        return _caller(token_hash, validation)

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
            tokens=self._lifetimes(access_token, refresh_token, now, opened_at=now),
            created_at=now,
            user_agent=user_agent,
        )
        ticket = await self.cache.begin_load(session.tokens.token)
        async with self.trail.writing(session.subject.scope) as recorder:
            if not await open_session(recorder, session, AuditEntry(AuditEvent.LOGIN_SUCCESS, now), unless=unless):
                return None
        identity = Identity(session.id, account.tenant_id, session.tokens.expires_at, user, account.grants)
        await self.cache.finish_load(ticket, session.tokens.token, identity)
        return LoginAnswer(**_pair(access_token, refresh_token, session.tokens, now).model_dump(), user=user)

    async def refresh(self, refresh_token: str, tenant: str | None) -> TokenPair:
        """Exchange a refresh token for a new pair; reuse of an old one ends the session. Problems: 401."""
        if not is_well_formed(refresh_token):
            raise problems.invalid_refresh_token()
        presented = fingerprint(refresh_token)
        access, refresh = successors(self.refresh_key, refresh_token)
        rule = RefreshRule(self.settings.refresh_grace_seconds)
        for _ in range(_ATTEMPTS):
            async with self.database.reading() as connection:
                session = await find_refreshable(connection, presented)
            if session is None or tenant not in (None, session.user.tenant):
                raise problems.invalid_refresh_token()
            now = self.clock.now()
            match rule.judge(session, presented, fingerprint(refresh), now):
                case Verdict.ROTATE:
                    tokens = self._lifetimes(access, refresh, now, opened_at=session.opened_at)
                    done = await self._rotate(session, presented, tokens, now)
                case Verdict.REPEAT:
                    tokens = NewTokens(
                        session.token, session.refresh_token, session.expires_at, session.refresh_expires_at
                    )
                    done = await self._repeat(session, now)
                case Verdict.REVOKE:
                    await self._end(session.subject, session.session_id, AuditEvent.REFRESH_REUSED)
                    raise problems.invalid_refresh_token()
                case Verdict.REFUSE:
                    raise problems.invalid_refresh_token()
            if done:
                name_subject(session.user.tenant, session.user.id)
                return _pair(access, refresh, tokens, now)
        raise problems.too_busy(1)

    async def logout(self, caller: Caller) -> None:
        """End the caller's session; when this returns its token is refused everywhere. Problems: 401."""
        if not await self._end(caller.subject, caller.session_id, AuditEvent.LOGOUT):
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
        if not await self._end(caller.subject, session_id, AuditEvent.SESSION_ENDED):
            raise problems.not_found("session")

    async def list(self, caller: Caller, after: UUID | None, limit: int) -> Page[Session]:
        """The live sessions of the caller's user, the newest first."""
        async with self.database.reading(caller.subject.scope) as connection:
            rows = await list_sessions(connection, caller.subject, self.clock.now(), after, limit + 1)
        sessions = [Session(**row._mapping, current=row.id == caller.session_id) for row in rows]
        return Page[Session].cut(sessions, limit, lambda session: session.id.hex)

    async def _load(self, token_hash: str) -> Identity:
        ticket = await self.cache.begin_load(token_hash)
        async with self.database.reading() as connection:
            identity = await find_identity(connection, token_hash, self.clock.now())
        if identity is None:
            raise problems.invalid_token()
        await self.cache.finish_load(ticket, token_hash, identity)
        return identity

    async def _end(self, subject: Subject, session_id: UUID, event: AuditEvent) -> bool:
        """End a session if it lives, and let no replica believe its token any more."""
        entry = AuditEntry(event, self.clock.now())
        async with self.trail.writing(subject.scope) as recorder:
            token_hash = await end_session(recorder, subject, session_id, entry)
        if token_hash is None:
            return False
        await self.cache.revoke_tokens([token_hash])
        return True

    async def _rotate(self, session: Refreshable, presented: str, tokens: NewTokens, now: datetime) -> bool:
        entry = AuditEntry(AuditEvent.TOKEN_REFRESHED, now)
        async with self.trail.writing(session.subject.scope) as recorder:
            replaced = await rotate_tokens(recorder, session, presented, tokens, entry)
        if replaced:
            await self.cache.revoke_tokens([session.token])
        return replaced

    async def _repeat(self, session: Refreshable, now: datetime) -> bool:
        entry = AuditEntry(AuditEvent.TOKEN_REFRESHED, now, {"repeated": True})
        async with self.trail.writing(session.subject.scope) as recorder:
            return await confirm_session(recorder, session.subject, session.session_id, entry)

    def _lifetimes(self, access: str, refresh: str, now: datetime, *, opened_at: datetime) -> NewTokens:
        """Both lifetimes slide with each refresh, up to an end that does not."""
        end = opened_at + timedelta(seconds=self.settings.session_seconds)
        return NewTokens(
            token=fingerprint(access),
            refresh_token=fingerprint(refresh),
            expires_at=min(end, now + timedelta(seconds=self.settings.access_token_seconds)),
            refresh_expires_at=min(end, now + timedelta(seconds=self.settings.refresh_token_seconds)),
        )


def _pair(access: str, refresh: str, tokens: NewTokens, now: datetime) -> TokenPair:
    expires_in = int((tokens.expires_at - now).total_seconds())
    return TokenPair(access_token=access, refresh_token=refresh, expires_in=expires_in)


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
