"""The background work that deletes sessions and failure counts which are past all use."""

import logging
import random
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from service.auth.lockout import Lockout
from service.clock import Clock
from service.database.engine import Database
from service.observability.metrics import Metrics
from service.sessions.expiry import Expired, delete_expired
from service.settings import Settings

_log = logging.getLogger(__name__)

MOST = 1000
# Between two full batches: what serves requests goes first.
PAUSE_SECONDS = 0.1


class Cleanup:
    """Each replica has one; they share the work, and none waits for another."""

    def __init__(
        self, settings: Settings, database: Database, lockout: Lockout, clock: Clock, metrics: Metrics
    ) -> None:
        self._database = database
        self._lockout = lockout
        self._clock = clock
        self._deleted = metrics.sessions_cleaned
        self._pause = settings.cleanup_seconds
        self._refreshable = timedelta(seconds=settings.refresh_token_seconds)
        self._most = MOST

    async def run(self) -> None:
        """Work until cancelled; the first round is at a random moment, so that replicas do not run in step."""
        await self._clock.sleep(random.uniform(0, self._pause))  # noqa: S311 - nothing that has to be unpredictable
        while True:
            await self.round()
            await self._clock.sleep(self._pause)

    async def round(self) -> None:
        """Delete batch by batch until one is not full; a failure of the database ends the round, not the work."""
        try:
            while await self._delete_full_batch():
                await self._clock.sleep(PAUSE_SECONDS)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            # It may have taken longer than a statement may: sessions that were refreshed often are much to delete.
            self._most = max(1, self._most // 2)
            _log.warning("cleanup_failed", extra={"fields": {"error": type(error).__name__, "reason": str(error)}})

    async def _delete_full_batch(self) -> bool:
        """Delete a batch, and return whether it was full; the next may be larger, since this one succeeded."""
        most = self._most
        deleted = await self._delete_batch(most)
        self._most = min(2 * most, MOST)
        return deleted == most

    async def _delete_batch(self, most: int) -> int:
        now = self._clock.now()
        expired = Expired(now, tokens_before=now - self._refreshable, failures_before=self._lockout.since(now))
        async with self._database.writing(None) as connection:
            deleted = await delete_expired(connection, expired, most)
        self._deleted.inc(deleted)
        return deleted
