"""The audit trail as services use it: changes of the database that are recorded and counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.audit.repository import Recorder
from service.database.engine import Database
from service.database.scope import Scope
from service.observability.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Trail:
    """Hands out recorders; what they wrote is counted once it is committed."""

    database: Database
    metrics: Metrics

    @asynccontextmanager
    async def writing(self, scope: Scope) -> AsyncIterator[Recorder]:
        """A recorder for one change (see `Database.writing`)."""
        async with self.database.writing(scope) as connection:
            recorder = Recorder(connection)
            yield recorder
        self._count(recorder)

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[Recorder]:
        """A recorder for several changes in one transaction."""
        async with self.database.transaction(scope) as connection:
            recorder = Recorder(connection)
            yield recorder
        self._count(recorder)

    def _count(self, recorder: Recorder) -> None:
        for event in recorder.events:
            self.metrics.audit_rows.labels(event).inc()
