"""The rules of authentication: plain functions over the repositories, the cache and the password pool."""

from dataclasses import dataclass
from datetime import timedelta

from service import problems
from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry, record
from service.auth.models import LoginAnswer, LoginRequest, SignupRequest
from service.auth.passwords import Passwords
from service.auth.tokens import fingerprint, is_well_formed, new_token
from service.cache.entries import Validation, validation_of
from service.cache.service import CacheService
from service.clock import Clock
from service.database.engine import Database
from service.ids import new_id
from service.observability.metrics import Metrics
from service.sessions.repository import Identity, NewSession, end_session, find_identity, open_session
from service.settings import Settings
from service.users.models import Grants, Profile, User
from service.users.repository import Account, EmailTakenError, create_user, find_account

SIGNUP_ROLE = "member"


@dataclass(frozen=True, slots=True)
class AuthService:
    """Signup, login, validation, profile and logout; every method may raise ProblemError."""

    settings: Settings
    database: Database
    cache: CacheService
    passwords: Passwords
    clock: Clock
    metrics: Metrics

    async def signup(self, tenant: str, request: SignupRequest) -> User:
        """Create a user with the role `member`. Problems: 404, 409, 429."""
        password_hash = await self.passwords.hash(request.password)
        now = self.clock.now()
        user = User(id=new_id(), email=request.email, name=request.name, tenant=tenant, created_at=now)
        entry = AuditEntry(AuditEvent.SIGNUP, now)
        try:
            async with self.database.writing() as connection:
                created = await create_user(connection, user, password_hash, SIGNUP_ROLE, entry)
        except EmailTakenError:
            raise problems.email_taken() from None
        if not created:
            raise problems.unknown_tenant(tenant)
        self._count(AuditEvent.SIGNUP)
        await self.cache.set_user(user)
        return user

    async def login(self, tenant: str, request: LoginRequest) -> LoginAnswer:
        """Open a session. Problems: 401, 404, 429."""
        async with self.database.reading() as connection:
            account = await find_account(connection, tenant, request.email)
        if account is None:
            raise problems.unknown_tenant(tenant)
        # One hash in every case, so that the time does not tell which addresses have a user.
        if not await self.passwords.verify(account.password_hash, request.password):
            await self._record_failure(account)
            raise problems.invalid_credentials()
        assert account.user is not None  # noqa: S101 - a password hash comes with its user
        return await self._open_session(account, account.user)

    async def validate(self, token: str, tenant: str | None) -> Validation:
        """What an access token stands for. `tenant`: the one that the caller expects. Problems: 401."""
        token_hash = _token_hash(token)
        validation = await self.cache.get_validation(token_hash)
        if validation is None:
            validation = validation_of(await self._load(token_hash))
        _require_tenant(validation.tenant, tenant)
        return validation

    async def profile(self, token: str, tenant: str | None) -> Profile:
        """The user of an access token with roles and permissions. Problems: 401."""
        token_hash = _token_hash(token)
        user, grants = await self._cached_profile(token_hash)
        if user is None or grants is None:
            identity = await self._load(token_hash)
            user, grants = identity.user, identity.grants
        _require_tenant(user.tenant, tenant)
        return Profile(**user.model_dump(), **grants.model_dump())

    async def logout(self, token: str, tenant: str | None) -> None:
        """End the session of an access token; when this returns the token is refused everywhere. Problems: 401."""
        token_hash = _token_hash(token)
        entry = AuditEntry(AuditEvent.LOGOUT, self.clock.now())
        async with self.database.writing() as connection:
            ended = await end_session(connection, token_hash, tenant, entry)
        if ended is None:
            # Whoever ended that session may have died before its copies were removed.
            await self.cache.drop_token(token_hash)
            raise problems.invalid_token()
        self._count(AuditEvent.LOGOUT)
        await self.cache.revoke_token(token_hash)

    async def _cached_profile(self, token_hash: str) -> tuple[User | None, Grants | None]:
        session = await self.cache.get_session(token_hash)
        if session is None:
            return None, None
        return await self.cache.get_profile(session.user_id)

    async def _load(self, token_hash: str) -> Identity:
        ticket = await self.cache.begin_load(token_hash)
        async with self.database.reading() as connection:
            identity = await find_identity(connection, token_hash, self.clock.now())
        if identity is None:
            raise problems.invalid_token()
        await self.cache.finish_load(ticket, identity)
        return identity

    async def _open_session(self, account: Account, user: User) -> LoginAnswer:
        access_token, refresh_token, now = new_token(), new_token(), self.clock.now()
        session = NewSession(
            id=new_id(),
            tenant_id=account.tenant_id,
            user_id=user.id,
            token=fingerprint(access_token),
            refresh_token=fingerprint(refresh_token),
            created_at=now,
            expires_at=now + timedelta(seconds=self.settings.access_token_seconds),
            refresh_expires_at=now + timedelta(seconds=self.settings.refresh_token_seconds),
        )
        ticket = await self.cache.begin_load(session.token)
        async with self.database.writing() as connection:
            await open_session(connection, session, AuditEntry(AuditEvent.LOGIN_SUCCESS, now))
        self._count(AuditEvent.LOGIN_SUCCESS)
        identity = Identity(session.id, session.expires_at, user, account.grants)
        await self.cache.finish_load(ticket, identity)
        return LoginAnswer(
            access_token=access_token,
            expires_in=self.settings.access_token_seconds,
            refresh_token=refresh_token,
            user=user,
        )

    async def _record_failure(self, account: Account) -> None:
        reason = "wrong_password" if account.user else "unknown_user"
        entry = AuditEntry(AuditEvent.LOGIN_FAILURE, self.clock.now(), {"reason": reason})
        user_id = account.user.id if account.user else None
        async with self.database.writing() as connection:
            await record(connection, entry, tenant_id=account.tenant_id, user_id=user_id)
        self._count(AuditEvent.LOGIN_FAILURE)

    def _count(self, event: AuditEvent) -> None:
        self.metrics.audit_rows.labels(event).inc()


def _token_hash(token: str) -> str:
    if not is_well_formed(token):
        raise problems.invalid_token()
    return fingerprint(token)


def _require_tenant(actual: str, expected: str | None) -> None:
    """A token is worth nothing in a tenant that is not its own."""
    if expected is not None and expected != actual:
        raise problems.invalid_token()
