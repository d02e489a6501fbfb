"""Puts the cache together as the settings ask: in this process, in Redis, or nowhere."""

from dataclasses import dataclass

from service.cache.coherence import Alone, Coherence, Membership
from service.cache.generation import Generation, LocalGeneration, NoGeneration, SharedGeneration
from service.cache.keeper import CacheKeeper
from service.cache.memory import MemoryBackend
from service.cache.near import NearCache
from service.cache.protocol import CacheBackend
from service.cache.redis import RedisBackend
from service.cache.service import CacheService
from service.cache.tiers import Tiers
from service.clock import Clock
from service.database.engine import Database
from service.observability.metrics import Metrics
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Cache:
    """The cache service and the background work that belongs to it."""

    service: CacheService
    keeper: CacheKeeper


_current: CacheService | None = None


def build_cache(
    settings: Settings, database: Database, clock: Clock, metrics: Metrics, store: CacheBackend | None = None
) -> Cache:
    """The cache of one application; `get_cache_service` gives the one built last.

    A `store` is taken for one that other processes share, as Redis is.
    """
    global _current  # noqa: PLW0603 - one process serves one application
    lease = settings.cache_lease_seconds
    backend: CacheBackend
    generation: Generation
    coherence: Coherence
    if settings.cache == "off":
        near = NearCache(0, clock)
        backend, generation, coherence = MemoryBackend(clock), NoGeneration(), Alone()
    elif store is None and not settings.redis_url:
        near = NearCache(0, clock)  # in front of a store in the same memory it would be the same once more
        backend, generation, coherence = MemoryBackend(clock), LocalGeneration(), Alone()
    else:
        near = NearCache(settings.cache_memory_entries, clock)
        backend = store or RedisBackend(settings, metrics, clock)
        generation = SharedGeneration(database, clock, lease, on_rise=near.clear)
        coherence = Membership(backend, near, clock, settings.cache_memory_lease_seconds)
    tiers = Tiers(near, backend, generation, coherence, clock, metrics, settings.cache_memory_seconds)
    _current = CacheService(tiers, settings, clock, metrics)
    return Cache(_current, CacheKeeper(backend, generation, coherence, clock, settings))


def get_cache_service() -> CacheService:
    """The cache service of this process's application. Raises RuntimeError before `create_app`."""
    if _current is None:
        raise RuntimeError("there is no cache service before create_app was called")
    return _current
