"""The rules of accounts: signing up, logging in and changing the password."""

from contextlib import suppress
from dataclasses import dataclass

from service import problems
from service.access import Caller
from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry
from service.audit.trail import Trail
from service.auth.lockout import LOCKED, Lockout, account_key, user_key
from service.auth.models import LoginRequest, PasswordChange, SignupRequest
from service.auth.passwords import Passwords
from service.cache.service import CacheService, UserChange
from service.clock import Clock
from service.database.engine import Database
from service.database.scope import Scope, Subject
from service.ids import new_id
from service.problem_handlers import DATABASE_FAILURES
from service.problems import ProblemError
from service.sessions.identities import Identities
from service.sessions.models import LoginAnswer
from service.sessions.repository import end_other_sessions, opening
from service.sessions.service import SessionService
from service.tenants.directory import TenantDirectory
from service.users.models import User
from service.users.repository import (
    Account,
    EmailTakenError,
    NewUser,
    change_password,
    create_user,
    find_account,
    upgrade_hash,
)

SIGNUP_ROLE = "member"
# A user who is changed again and again just between a login's two statements: rather give up than go on for ever.
_ATTEMPTS = 5
_OPENING = opening(unless=LOCKED)


@dataclass(frozen=True, slots=True)
class AuthService:
    """Every method may raise ProblemError."""

    database: Database
    trail: Trail
    cache: CacheService
    passwords: Passwords
    lockout: Lockout
    identities: Identities
    sessions: SessionService
    tenants: TenantDirectory
    clock: Clock

    async def signup(self, tenant: str, request: SignupRequest) -> User:
        """Create a user with the role `member`. Problems: 404, 409, 429."""
        tenant_id = await self.tenants.find(tenant)
        password_hash = await self.passwords.hash(request.password)
        now = self.clock.now()
        user = User(id=new_id(), email=request.email, name=request.name, tenant=tenant, created_at=now)
        ticket = await self.cache.begin_user(user.id)
        try:
            async with self.trail.writing(Scope(tenant_id)) as recorder:
                entry = AuditEntry(AuditEvent.SIGNUP, now)
                await create_user(recorder, tenant_id, NewUser(user, password_hash, SIGNUP_ROLE), entry)
        except EmailTakenError:
            raise problems.email_taken() from None
        await self.cache.finish_user(ticket, user)
        return user

    async def login(self, tenant: str, request: LoginRequest, user_agent: str | None) -> LoginAnswer:
        """Open a session. Problems: 401, 404, 429.

        An unknown address, a wrong password and a locked account cost the same: a query, a hash, a failure
        that is written down.
        """
        key = account_key(request.email)
        account = await self._find(tenant, request.email, key)
        is_right = await self.passwords.verify(account.password_hash, request.password)
        verified_hash = account.password_hash
        for _ in range(_ATTEMPTS):
            user = account.user
            if not is_right or user is None or self.lockout.is_locked(account.failures):
                await self._record_failure(account, key, AuditEvent.LOGIN_FAILURE)
                raise problems.invalid_credentials()
            locked = self.lockout.condition(key, self.clock.now())
            answer = await self.sessions.open(account, user, user_agent, _OPENING, locked)
            if answer is not None:
                # The session is open: a hash that has to wait for a better moment is no reason to keep it back.
                with suppress(ProblemError, *DATABASE_FAILURES):
                    await self._upgrade(account, user, request.password)
                return answer
            # Something has changed since the account was read: what it is now decides.
            account = await self._find(tenant, request.email, key)
            is_right = account.password_hash == verified_hash
        raise problems.too_busy(1)

    async def change_password(self, caller: Caller, request: PasswordChange) -> None:
        """Set a new password and end every other session of the user. Problems: 401, 429."""
        profile = await self.identities.profile_of(caller)
        key = user_key(caller.user_id)
        account = await self._find(caller.tenant, profile.email, key)
        is_right = await self.passwords.verify(account.password_hash, request.current_password)
        user, old = account.user, account.password_hash
        if user is None or old is None or user.id != caller.user_id:
            raise problems.invalid_token()
        if not is_right or self.lockout.is_locked(account.failures):
            await self._record_failure(account, key, AuditEvent.PASSWORD_CHANGE_FAILURE)
            raise problems.wrong_password()
        new = await self.passwords.hash(request.new_password)
        now = self.clock.now()
        async with self.trail.transaction(caller.subject.scope) as recorder:
            entry = AuditEntry(AuditEvent.PASSWORD_CHANGED, now)
            locked = self.lockout.condition(key, now)
            version = await change_password(recorder, caller.subject, (old, new), entry, LOCKED, locked)
            if version is None:
                raise problems.wrong_password()  # another change was faster, or guesses beside this one
            # A statement of its own, which sees the sessions that were opened before the first one got its lock.
            since = self.cache.copied_since(now)
            tokens = await end_other_sessions(recorder.connection, caller.subject, caller.session_id, now, since)
        change = UserChange(user.id, version, user.tenant, [user.email])
        await self.cache.forget_user(change, [*tokens, caller.token_hash])

    async def _find(self, tenant: str, email: str, key: str) -> Account:
        since = self.lockout.since(self.clock.now())
        account = await find_account(self.database, tenant, email, key, since)
        if account is None:
            raise problems.unknown_tenant(tenant)
        return account

    async def _record_failure(self, account: Account, key: str, event: AuditEvent) -> None:
        reason = "wrong_password" if account.user else "unknown_user"
        if self.lockout.is_locked(account.failures):
            reason = "locked"
        entry = AuditEntry(event, self.clock.now(), {"reason": reason})
        await self.lockout.record(self.trail, account, key, entry)

    async def _upgrade(self, account: Account, user: User, password: str) -> None:
        """Hash the password anew if its hash has parameters of former days."""
        old = account.password_hash
        if old is None or not self.passwords.is_outdated(old):
            return
        new = await self.passwords.hash(password)
        subject = Subject(account.tenant_id, user.id)
        async with self.trail.writing(subject.scope) as recorder:
            entry = AuditEntry(AuditEvent.PASSWORD_REHASHED, self.clock.now())
            await upgrade_hash(recorder, subject, old, new, entry)
