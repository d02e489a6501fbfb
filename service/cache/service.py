"""The cache as the rest of the service sees it: typed look-ups that may fail to find, but never mislead.

A look-up that cannot be answered (the store is down, the entry may not be believed) is a miss to the caller.
Nothing here raises because of the store. Why an entry may be believed: `service/cache/generation.py`.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from service.cache import entries
from service.cache.entries import CachedSession, Kind, T, Validation, Values
from service.cache.generation import Generation
from service.cache.protocol import CacheBackend, CacheUnavailableError, Fence
from service.cache.stats import CacheStats, percent_or_none, tier_stats
from service.clock import Clock
from service.observability.context import current_request
from service.observability.metrics import Metrics
from service.sessions.repository import Identity
from service.settings import Settings
from service.users.models import Grants, User

# Longer than any load may take (the database's statement time-out); a mark that expires only refuses a copy.
_LOAD_SECONDS = 10.0


class _Failure(Enum):
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to store what is about to be read or written, as long as nobody has removed the mark."""

    mark: str
    secret: str
    generation: int


@dataclass(frozen=True, slots=True)
class UserChange:
    """A user who was changed: the version since then, and every address that it has or had."""

    user_id: UUID
    version: int
    tenant: str
    emails: Sequence[str]


class CacheService:
    """The four kinds of entries over one store."""

    def __init__(
        self, backend: CacheBackend, generation: Generation, settings: Settings, clock: Clock, metrics: Metrics
    ) -> None:
        self._backend = backend
        self._generation = generation
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        metrics.initialise_tier(backend.tier)

    async def get_validation(self, token_hash: str) -> Validation | None:
        """What a token stands for, if that is known and not past its expiry."""
        found = await self._get(entries.VALIDATION, entries.validation_key(token_hash))
        return found if found and found.expires_at > self._clock.now() else None

    async def get_session(self, token_hash: str) -> CachedSession | None:
        """The live session of a token, if it is known."""
        found = await self._get(entries.SESSION, entries.session_key(token_hash))
        return found if found and found.is_active and found.expires_at > self._clock.now() else None

    async def get_user_by_id(self, user_id: UUID) -> User | None:
        """A user, if known."""
        return await self._get(entries.USER, entries.user_id_key(user_id))

    async def get_user_by_email(self, email: str, tenant: str = "default") -> User | None:
        """A user by e-mail address within a tenant, if known."""
        return await self._get(entries.USER, entries.user_email_key(tenant, email))

    async def get_permissions(self, user_id: UUID) -> Grants | None:
        """A user's roles and permissions, if known."""
        return await self._get(entries.PERMISSIONS, entries.permissions_key(user_id))

    async def get_profile(self, user_id: UUID) -> tuple[User | None, Grants | None]:
        """A user together with roles and permissions, in one round trip."""
        raws = await self._fetch(entries.user_id_key(user_id), entries.permissions_key(user_id))
        return self._take(entries.USER, raws[0]), self._take(entries.PERMISSIONS, raws[1])

    async def set_user(self, user: User) -> None:
        """Write a user through, under id and e-mail address, whatever is there: the caller knows it to be so."""
        generation = self._generation.current()
        if generation is not None:
            with suppress(CacheUnavailableError):
                await self._backend.put(entries.encode(generation, entries.user_values(user, self._settings)))

    async def begin_user(self, user_id: UUID) -> Ticket | None:
        """Announce that a user is about to be written to the database, before it is.

        None if what is written must not be stored: the store is down, or somebody else is at work.
        """
        return await self._reserve(entries.user_mark(user_id))

    async def finish_user(self, ticket: Ticket | None, user: User) -> None:
        """Store a user who was just made, unless it was changed since `begin_user`."""
        await self._fill(ticket, entries.fence(user.id, 0), entries.user_values(user, self._settings))

    async def begin_load(self, token_hash: str) -> Ticket | None:
        """Announce that a token's identity is about to be read from the database, before it is read.

        None if what is read must not be stored: the store is down, or another loader is at work.
        """
        return await self._reserve(entries.load_mark(token_hash))

    async def finish_load(self, ticket: Ticket | None, token_hash: str, identity: Identity) -> None:
        """Store what was loaded, all kinds at once, unless token or user were changed since `begin_load`."""
        fence = entries.fence(identity.user.id, identity.version)
        await self._fill(ticket, fence, entries.identity_values(token_hash, identity, self._settings))

    async def revoke_tokens(self, token_hashes: Sequence[str]) -> None:
        """Forget tokens whose sessions were ended or changed: when this returns no replica believes its copies.

        Call it after the commit. Raises SQLAlchemyError if neither the store nor the database can be reached.
        """
        if token_hashes:
            await self._remove(*(key for token_hash in token_hashes for key in entries.token_keys(token_hash)))

    async def drop_token(self, token_hash: str) -> None:
        """Forget a token if the store can be reached: for one that the database refuses anyway."""
        with suppress(CacheUnavailableError):
            await self._backend.remove(*entries.token_keys(token_hash))

    async def invalidate_user(self, user_id: UUID, email: str, tenant: str = "default") -> None:
        """Forget a user and the user's permissions in every replica."""
        await self._remove(*entries.user_keys(user_id, tenant, email))

    async def forget_user(self, change: UserChange, token_hashes: Sequence[str]) -> None:
        """Forget all that is known of a user who was changed, under every address, and of its tokens.

        Call it after the commit. Whoever has read an older version of the user cannot store it any more, whichever
        token it was read for: that of a session which is just being ended is in no list of live ones.
        """
        keys = [key for email in change.emails for key in entries.user_keys(change.user_id, change.tenant, email)]
        keys += [key for token_hash in token_hashes for key in entries.token_keys(token_hash)]
        fence = entries.fence(change.user_id, change.version)
        try:
            await self._backend.fence_off(list(dict.fromkeys(keys)), fence, _LOAD_SECONDS)
        except CacheUnavailableError:
            await self._generation.advance()

    async def stats(self) -> CacheStats:
        """Look-ups by tier and kind since the start, the windowed hit rate, and what each tier holds."""
        usage = None
        with suppress(CacheUnavailableError):
            usage = await self._backend.usage()
        tier = tier_stats(self._backend.tier, usage, self._metrics)
        return CacheStats(hit_rate_percent=percent_or_none(self._metrics.hit_rate.percent()), tiers=[tier])

    async def is_available(self) -> bool:
        """Whether the store answers and its entries may be believed."""
        try:
            await self._backend.ping()
        except CacheUnavailableError:
            return False
        return self._generation.current() is not None

    async def close(self) -> None:
        """Close the store's connections."""
        await self._backend.close()

    async def _get(self, kind: Kind[T], key: str) -> T | None:
        [raw] = await self._fetch(key)
        return self._take(kind, raw)

    async def _fetch(self, *keys: str) -> list[bytes | _Failure | None]:
        if self._generation.current() is None:
            return [_Failure.FAILED] * len(keys)
        try:
            return [*await self._backend.get(*keys)]
        except CacheUnavailableError:
            return [_Failure.FAILED] * len(keys)

    def _take(self, kind: Kind[T], raw: bytes | _Failure | None) -> T | None:
        """Decode what `_fetch` gave, and count the look-up."""
        if isinstance(raw, _Failure):
            value, result = None, "error"
        else:
            # The generation is asked for again: the lease may have ended while the store answered.
            value = entries.decode(kind, raw, self._generation.current())
            result = "miss" if value is None else "hit"
        self._metrics.count_lookup(self._backend.tier, kind.name, result)
        request = current_request()
        if request is not None:
            request.cache_hits += result == "hit"
            request.cache_misses += result != "hit"
        return value

    async def _reserve(self, mark: str) -> Ticket | None:
        generation = self._generation.current()
        if generation is None:
            return None
        ticket = Ticket(mark, secrets.token_hex(8), generation)
        try:
            reserved = await self._backend.reserve(mark, ticket.secret, _LOAD_SECONDS)
        except CacheUnavailableError:
            return None
        return ticket if reserved else None

    async def _fill(self, ticket: Ticket | None, fence: Fence, values: Values) -> None:
        if ticket is None:
            return
        with suppress(CacheUnavailableError):
            encoded = entries.encode(ticket.generation, values)
            await self._backend.fill(ticket.mark, ticket.secret, encoded, fence)

    async def _remove(self, *keys: str) -> None:
        try:
            await self._backend.remove(*keys)
        except CacheUnavailableError:
            await self._generation.advance()
