"""The cache as the rest of the service sees it: typed look-ups that may fail to find, but never mislead.

A look-up that cannot be answered (the store is down, the entry may not be believed) is a miss to the caller.
Nothing here raises because of the store.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service.cache import entries
from service.cache.entries import CachedSession, Validation
from service.cache.near import NearCache
from service.cache.protocol import CacheUnavailableError
from service.cache.stats import CacheStats, percent_or_none, tier_stats
from service.cache.tiers import LOAD_SECONDS, OccupiedError, Ticket, Tiers
from service.clock import Clock
from service.observability.metrics import Metrics
from service.sessions.repository import Identity
from service.settings import Settings
from service.users.models import Grants, User

# Who finds another replica at work looks for what it has stored after so many seconds each.
_LOOK_AGAIN_SECONDS = (0.003, 0.006, 0.012, 0.024)
# Of tokens that there are not; whoever invents tokens can fill no more than this.
_MAX_UNKNOWN = 10_000


@dataclass(frozen=True, slots=True)
class UserChange:
    """A user who was changed: the version since then, and every address that it has or had."""

    user_id: UUID
    version: int
    tenant: str
    emails: Sequence[str]


class CacheService:
    """The four kinds of entries over the tiers."""

    def __init__(self, tiers: Tiers, settings: Settings, clock: Clock, metrics: Metrics) -> None:
        self._tiers = tiers
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        remembers = settings.cache == "on" and settings.cache_negative_seconds
        self._unknown = NearCache(_MAX_UNKNOWN if remembers else 0, clock)

    async def get_validation(self, token_hash: str) -> Validation | None:
        """What a token stands for, if that is known and not past its expiry."""
        return self.recall_validation(token_hash) or await self.fetch_validation(token_hash)

    def recall_validation(self, token_hash: str) -> Validation | None:
        """The same as far as this process's memory knows; who gets None goes on with `fetch_validation`."""
        return self._unexpired(self._tiers.recall(entries.VALIDATION, entries.validation_key(token_hash)))

    def glimpse_validation(self, token_hash: str) -> Validation | None:
        """The same; who gets None goes on with `recall_validation`."""
        return self._unexpired(self._tiers.glimpse(entries.VALIDATION, entries.validation_key(token_hash)))

    async def fetch_validation(self, token_hash: str) -> Validation | None:
        """The same as far as the store knows."""
        return self._unexpired(await self._tiers.fetch(entries.VALIDATION, entries.validation_key(token_hash)))

    async def get_session(self, token_hash: str) -> CachedSession | None:
        """The live session of a token, if it is known."""
        found = await self._tiers.get(entries.SESSION, entries.session_key(token_hash))
        return found if found and found.is_active and found.expires_at > self._clock.now() else None

    async def get_user_by_id(self, user_id: UUID) -> User | None:
        """A user, if known."""
        return await self._tiers.get(entries.USER, entries.user_id_key(user_id))

    async def get_user_by_email(self, email: str, tenant: str = "default") -> User | None:
        """A user by e-mail address within a tenant, if known."""
        return await self._tiers.get(entries.USER, entries.user_email_key(tenant, email))

    async def get_permissions(self, user_id: UUID) -> Grants | None:
        """A user's roles and permissions, if known."""
        return await self._tiers.get(entries.PERMISSIONS, entries.permissions_key(user_id))

    async def get_profile(self, user_id: UUID) -> tuple[User | None, Grants | None]:
        """A user together with roles and permissions."""
        return await asyncio.gather(self.get_user_by_id(user_id), self.get_permissions(user_id))

    async def set_user(self, user: User) -> None:
        """Write a user through, under id and e-mail address, whatever is there: the caller knows it to be so."""
        await self._tiers.put(entries.user_values(user, self._settings))

    async def begin_user(self, user_id: UUID) -> Ticket | None:
        """Announce that a user is about to be written to the database, before it is.

        None if what is written must not be stored: the store is down, or somebody else is at work.
        """
        with suppress(OccupiedError):
            return await self._tiers.reserve(entries.user_mark(user_id))
        return None

    async def finish_user(self, ticket: Ticket | None, user: User) -> None:
        """Store a user who was just made, unless it was changed since `begin_user`."""
        if ticket is not None:
            await self._tiers.fill(ticket, entries.fence(user.id, 0), entries.user_values(user, self._settings))

    async def begin_load(self, token_hash: str) -> Ticket | None:
        """Announce that a token's identity is about to be read from the database, before it is read.

        None if what is read cannot be stored: the store is down. Raises OccupiedError if another replica is
        loading it.
        """
        return await self._tiers.reserve(entries.load_mark(token_hash))

    async def finish_load(self, ticket: Ticket | None, token_hash: str, identity: Identity) -> None:
        """Store what was loaded, all kinds at once, unless token or user were changed since `begin_load`."""
        if ticket is not None:
            fence = entries.fence(identity.user.id, identity.version)
            await self._tiers.fill(ticket, fence, entries.identity_values(token_hash, identity, self._settings))

    async def await_load(self, token_hash: str) -> Validation | None:
        """What a token stands for as soon as another replica has stored it; None if it has not, within moments."""
        for seconds in _LOOK_AGAIN_SECONDS:
            await asyncio.sleep(seconds)
            found = await self.get_validation(token_hash)
            if found is not None:
                return found
        return None

    def is_unknown(self, token_hash: str) -> bool:
        """Whether the database did not know a token moments ago.

        That needs no proof of freshness: a token that was ended stays so, and one that nobody was given yet is
        256 random bits that nobody can ask for. In this process only: others could fill the store with them.
        """
        is_unknown = self._unknown.get(token_hash) is not None
        if is_unknown:
            self._metrics.count_lookup(self._unknown.tier, entries.VALIDATION.name, "hit")
            self._tiers.count_lookup(hit=True)
        return is_unknown

    def note_unknown(self, token_hash: str) -> None:
        """Remember for a short time that the database does not know a token, or does not accept it any more."""
        self._unknown.put(token_hash, True, 0, self._settings.cache_negative_seconds, self._unknown.version)

    async def revoke_tokens(self, token_hashes: Sequence[str]) -> None:
        """Forget tokens whose sessions were ended or changed: when this returns no replica believes its copies.

        Call it after the commit. Raises SQLAlchemyError if neither the store nor the database can be reached.
        """
        if token_hashes:
            await self._tiers.remove(_keys_of(token_hashes))

    def copied_since(self, now: datetime) -> datetime:
        """Since when a token must have been replaced or ended for a copy of it to be possible.

        A copy is read from the store at the end of its time there at the latest, and then kept in memory; one that is
        being loaded is stored within the time of its mark.
        """
        settings = self._settings
        stored = max(settings.cache_validation_seconds, settings.cache_session_seconds)
        return now - timedelta(seconds=stored + settings.cache_memory_seconds + LOAD_SECONDS)

    async def drop_token(self, token_hash: str) -> None:
        """Forget a token if the store can be reached: for one that the database refuses anyway."""
        await self._tiers.try_to_remove(entries.token_keys(token_hash))

    async def invalidate_user(self, user_id: UUID, email: str, tenant: str = "default") -> None:
        """Forget a user and the user's permissions in every replica."""
        await self._tiers.remove(entries.user_keys(user_id, tenant, email))

    async def forget_user(self, change: UserChange, token_hashes: Sequence[str]) -> None:
        """Forget all that is known of a user who was changed, under every address, and of its tokens.

        Call it after the commit. Whoever has read an older version of the user cannot store it any more, whichever
        token it was read for: that of a session which is just being ended is in no list of live ones.
        """
        keys = [key for email in change.emails for key in entries.user_keys(change.user_id, change.tenant, email)]
        unique = list(dict.fromkeys([*keys, *_keys_of(token_hashes)]))
        await self._tiers.remove(unique, entries.fence(change.user_id, change.version))

    async def stats(self) -> CacheStats:
        """Look-ups by tier and kind since the start, the windowed hit rate, and what each tier holds."""
        usage = {self._tiers.near.tier: self._tiers.near.usage()}
        with suppress(CacheUnavailableError):
            usage[self._tiers.store.tier] = await self._tiers.store.usage()
        tiers = [tier_stats(name, usage.get(name), self._metrics) for name in self._tiers.names]
        return CacheStats(hit_rate_percent=percent_or_none(self._metrics.hit_rate.percent()), tiers=tiers)

    async def is_available(self) -> bool:
        """Whether the store answers and its entries may be believed."""
        try:
            await self._tiers.store.ping()
        except CacheUnavailableError:
            return False
        return self._tiers.may_be_believed

    def _unexpired(self, found: Validation | None) -> Validation | None:
        return found if found and found.expires_at > self._clock.now() else None

    async def close(self) -> None:
        """Leave the other replicas, and close the store's connections."""
        self._tiers.leave()
        await self._tiers.store.close()


def _keys_of(token_hashes: Sequence[str]) -> list[str]:
    return [key for token_hash in token_hashes for key in entries.token_keys(token_hash)]
