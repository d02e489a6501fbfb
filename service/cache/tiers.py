"""The tiers of the cache and how they work together: this process's memory before the store before the database.

A copy is believed only under the generation that the database holds (`service/cache/generation.py`), and one in
this process only while no replica can have revoked it unheard (`service/cache/coherence.py`).
"""

import random
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from service.cache.coherence import Coherence
from service.cache.entries import Kind, T, Values, decode, encode
from service.cache.generation import Generation
from service.cache.near import NearCache
from service.cache.protocol import CacheBackend, CacheUnavailableError, Fence
from service.clock import Clock
from service.observability.context import INTERNAL, current_request, note_operation, operation_begins
from service.observability.metrics import Metrics

# Longer than any load may take (the database's statement time-out); a mark that expires only refuses a copy.
LOAD_SECONDS = 10.0
# Copies that were stored together shall not expire together.
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to store what is about to be read or written, as long as nobody has removed the mark."""

    mark: str
    secret: str
    generation: int


class OccupiedError(Exception):
    """Somebody else is loading the same at this moment."""


@dataclass(frozen=True, slots=True)
class Tiers:
    """Look-ups and removals over all tiers. Nothing here raises because of the store.

    `near_seconds` is how long a copy stays in this process's memory.
    """

    near: NearCache
    store: CacheBackend
    generation: Generation
    coherence: Coherence
    clock: Clock
    metrics: Metrics
    near_seconds: float

    def __post_init__(self) -> None:
        """Let the series of every tier exist before its first look-up."""
        for tier in self.names:
            self.metrics.initialise_tier(tier)

    @property
    def names(self) -> Sequence[str]:
        """The tiers in the order in which they are asked."""
        return (self.near.tier, self.store.tier) if self.near.capacity else (self.store.tier,)

    @property
    def may_be_believed(self) -> bool:
        """Whether copies are worth anything at present."""
        return self.generation.current() is not None

    async def get(self, kind: Kind[T], key: str) -> T | None:
        """The value of a key from the first tier that has it; a look-up that fails is a miss."""
        value = self.recall(kind, key)
        return await self.fetch(kind, key) if value is None else value

    def recall(self, kind: Kind[T], key: str) -> T | None:
        """The value of a key from this process's memory; who finds none goes on with `fetch`."""
        value = self.glimpse(kind, key)
        if value is None and self.near.capacity:
            self.metrics.count_lookup(self.near.tier, kind.name, "miss" if self._is_fresh() else "error")
        return value

    def glimpse(self, kind: Kind[T], key: str) -> T | None:
        """The same for who finds none and goes on with `recall`, which is what counts as a look-up then."""
        value: T | None = self.near.get(key) if self._is_fresh() else None
        if value is not None:
            self.metrics.count_lookup(self.near.tier, kind.name, "hit")
            self.count_lookup(hit=True)
        return value

    async def fetch(self, kind: Kind[T], key: str) -> T | None:
        """The value of a key from the store; a look-up that fails is a miss."""
        version = self.near.version
        raw, result = await self._read(key)
        # The generation is asked for again: the lease may have ended while the store answered.
        value = decode(kind, raw, self.generation.current())
        if value is not None and raw is not None:
            self.near.put(key, value, len(raw), self.near_seconds * _fraction(), version)
            result = "hit"
        self.metrics.count_lookup(self.store.tier, kind.name, result)
        self.count_lookup(hit=value is not None)
        return value

    def count_lookup(self, *, hit: bool) -> None:
        """Count a look-up over all tiers."""
        self.metrics.record_lookup(hit)
        request = current_request()
        if request is not None:
            request.cache_hits += hit
            request.cache_misses += not hit

    async def put(self, values: Values) -> None:
        """Write values through, whatever is there: the caller knows them to be so."""
        generation = self.generation.current()
        if generation is not None:
            with suppress(CacheUnavailableError):
                await self.store.put(encode(generation, _jittered(values)))
        await self.remove_copies(list(values))

    async def reserve(self, mark: str) -> Ticket | None:
        """Leave a mark before something is read that is to be stored.

        None if it cannot be stored: the store is down. Raises OccupiedError if somebody else's mark is there.
        """
        generation = self.generation.current()
        if generation is None:
            return None
        ticket = Ticket(mark, secrets.token_hex(8), generation)
        try:
            reserved = await self.store.reserve(mark, ticket.secret, LOAD_SECONDS)
        except CacheUnavailableError:
            return None
        if not reserved:
            raise OccupiedError
        return ticket

    async def fill(self, ticket: Ticket, fence: Fence, values: Values) -> None:
        """Store what was read under a ticket, unless it was removed or changed since.

        In the store only: into this process's memory comes what is asked for, when it is asked for.
        """
        with suppress(CacheUnavailableError):
            await self.store.fill(ticket.mark, ticket.secret, encode(ticket.generation, _jittered(values)), fence)

    async def remove(self, keys: Sequence[str], fence: Fence | None = None) -> None:
        """Let no replica believe what it has under these keys, nor store what is older than the fence.

        Call it after the commit. Raises SQLAlchemyError if neither the store nor the database can be reached.
        """
        started = self.clock.monotonic()
        try:
            if fence is None:
                await self.store.remove(*keys)
            else:
                await self.store.fence_off(keys, fence, LOAD_SECONDS)
            outcome = "acknowledged" if await self._invalidate(keys) else "lapsed"
        except CacheUnavailableError:
            self.near.drop(keys)
            await self.generation.advance()
            outcome = "generation"
        self.metrics.count_invalidation(outcome)
        self.metrics.observe_revocation(self.clock.monotonic() - started)

    async def try_to_remove(self, keys: Sequence[str]) -> None:
        """The same as far as the store can be reached: for what the database refuses anyway."""
        with suppress(CacheUnavailableError):
            await self.store.remove(*keys)
        await self.remove_copies(keys)

    async def remove_copies(self, keys: Sequence[str]) -> None:
        """Let every replica forget its own copies, as far as it can be told."""
        with suppress(CacheUnavailableError):
            await self._invalidate(keys)

    def leave(self) -> None:
        """Serve no copies of this process any more, and let the other replicas know."""
        with suppress(CacheUnavailableError):
            self.coherence.leave()

    async def _invalidate(self, keys: Sequence[str]) -> bool:
        """Let every replica forget its own copies; whether all have confirmed it."""
        began = operation_begins()
        try:
            return await self.coherence.invalidate(keys)
        finally:
            note_operation(INTERNAL, "let every replica forget", began)

    def _is_fresh(self) -> bool:
        """Whether what this process has in its memory may be served."""
        return self.clock.monotonic() < self.coherence.fresh_until and self.generation.current() is not None

    async def _read(self, key: str) -> tuple[bytes | None, str]:
        """What the store has under a key, and how to count that it is worth nothing."""
        if self.generation.current() is None:
            return None, "error"
        try:
            return await self.store.get(key), "miss"
        except CacheUnavailableError:
            return None, "error"


def _jittered(values: Values) -> Values:
    return {key: (value, seconds * _fraction()) for key, (value, seconds) in values.items()}


def _fraction() -> float:
    return 1 - _JITTER * random.random()  # noqa: S311 - nothing secret
