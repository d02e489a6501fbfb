"""Whom an access token stands for: from the cache, or from the database and then into the cache."""

from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from service import problems
from service.access import Caller
from service.cache.entries import Validation, validation_of
from service.cache.flights import Flights
from service.cache.service import CacheService
from service.cache.tiers import OccupiedError
from service.clock import Clock
from service.database.engine import Database
from service.sessions.repository import Identity, find_identity
from service.tokens.opaque import fingerprint, is_well_formed
from service.users.models import Profile


@dataclass(frozen=True, slots=True)
class Identities:
    """Every method may raise ProblemError: 401.

    `tenant` is the one that the caller expects; a token is worth nothing in a tenant that is not its own.
    """

    database: Database
    cache: CacheService
    clock: Clock
    _validations: Flights[Validation] = field(init=False, default_factory=Flights)
    _profiles: Flights[Profile] = field(init=False, default_factory=Flights)

    async def validate(self, token: str, tenant: str | None) -> Validation:
        """What an access token stands for."""
        token_hash = _token_hash(token)
        validation = self.cache.recall_validation(token_hash) or await self._find_validation(token_hash)
        _require_tenant(validation.tenant, tenant)
        return validation

    def glimpse(self, token: str, tenant: str | None) -> Validation | None:
        """The same if this process has it in its memory; None, and nothing raised, if anything is to be said."""
        validation = self.cache.glimpse_validation(fingerprint(token)) if is_well_formed(token) else None
        return validation if validation and tenant in {None, validation.tenant} else None

    async def resolve(self, token: str, tenant: str | None) -> Caller:
        """The same for a route that does something in the caller's name."""
        return _caller(_token_hash(token), await self.validate(token, tenant))

    async def profile(self, token: str, tenant: str | None) -> Profile:
        """The user of an access token with roles and permissions."""
        token_hash = _token_hash(token)
        recall = partial(self._known_profile, token_hash)
        profile = await recall()
        if profile is None:
            profile = await self._profiles.share(token_hash, recall, partial(self._load_profile, token_hash))
        _require_tenant(profile.tenant, tenant)
        return profile

    async def profile_of(self, caller: Caller) -> Profile:
        """The same of somebody whose token has been resolved."""
        return await self._cached_profile(caller.user_id) or await self._load_profile(caller.token_hash)

    async def _find_validation(self, token_hash: str) -> Validation:
        """What this process has not in its memory."""
        self._refuse_unknown(token_hash)
        validation = await self.cache.fetch_validation(token_hash)
        if validation is None:
            # Others may have learned it while the store was asked.
            self._refuse_unknown(token_hash)
            recall, load = partial(self._recall, token_hash), partial(self._load_validation, token_hash)
            validation = await self._validations.share(token_hash, recall, load)
        return validation

    async def _recall(self, token_hash: str) -> Validation | None:
        """What another's load has left."""
        self._refuse_unknown(token_hash)
        return await self.cache.get_validation(token_hash)

    def _refuse_unknown(self, token_hash: str) -> None:
        if self.cache.is_unknown(token_hash):
            raise problems.invalid_token()

    async def _load_validation(self, token_hash: str) -> Validation:
        try:
            return validation_of(await self._load(token_hash))
        except OccupiedError:
            return await self.cache.await_load(token_hash) or validation_of(await self._find(token_hash))

    async def _known_profile(self, token_hash: str) -> Profile | None:
        session = await self.cache.get_session(token_hash)
        return await self._cached_profile(session.user_id) if session else None

    async def _cached_profile(self, user_id: UUID) -> Profile | None:
        user, grants = await self.cache.get_profile(user_id)
        return Profile(**user.model_dump(), **grants.model_dump()) if user and grants else None

    async def _load_profile(self, token_hash: str) -> Profile:
        try:
            identity = await self._load(token_hash)
        except OccupiedError:
            identity = await self._find(token_hash)
        return Profile(**identity.user.model_dump(), **identity.grants.model_dump())

    async def _load(self, token_hash: str) -> Identity:
        """Read it and leave copies. Raises OccupiedError if somebody else is doing so."""
        ticket = await self.cache.begin_load(token_hash)
        identity = await self._find(token_hash)
        await self.cache.finish_load(ticket, token_hash, identity)
        return identity

    async def _find(self, token_hash: str) -> Identity:
        identity = await find_identity(self.database, token_hash, self.clock.now())
        if identity is None:
            self.cache.note_unknown(token_hash)
            raise problems.invalid_token()
        return identity


def _token_hash(token: str) -> str:
    if not is_well_formed(token):
        raise problems.invalid_token()
    return fingerprint(token)


def _require_tenant(actual: str, expected: str | None) -> None:
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
