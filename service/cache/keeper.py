"""The background work that keeps the cache believable."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError

from service.cache.coherence import Coherence
from service.cache.generation import Generation
from service.cache.protocol import CacheBackend, CacheUnavailableError
from service.clock import Clock
from service.settings import Settings

_log = logging.getLogger(__name__)
_ROUNDS_PER_LEASE = 4


class CacheKeeper:
    """Notes when the store comes back, and renews the leases on the copies there and in this process."""

    def __init__(
        self, backend: CacheBackend, generation: Generation, coherence: Coherence, clock: Clock, settings: Settings
    ) -> None:
        self._backend = backend
        self._generation = generation
        self._coherence = coherence
        self._clock = clock
        self._settings = settings

    async def run(self) -> None:
        """Work until cancelled."""
        await asyncio.gather(
            self._repeat(self._renew, self._settings.cache_lease_seconds),
            self._repeat(self._beat, self._settings.cache_memory_lease_seconds),
        )

    async def round(self) -> None:
        """Ask the store and the database once, side by side; neither's failure is raised."""
        await asyncio.gather(self._beat(), self._renew())

    async def _repeat(self, work: Callable[[], Awaitable[None]], lease_seconds: float) -> None:
        while True:
            await work()
            await self._clock.sleep(lease_seconds / _ROUNDS_PER_LEASE)

    async def _beat(self) -> None:
        try:
            await self._backend.ping()
            self._coherence.beat()
        except CacheUnavailableError:
            return  # the store has said so itself

    async def _renew(self) -> None:
        try:
            await self._generation.refresh()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("cache_lease_not_renewed", extra={"fields": {"error": type(error).__name__}})
