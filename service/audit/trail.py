"""The audit trail as services use it: changes of the database that are recorded and counted."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry, RecordedChange, Recorder
from service.database.engine import Database
from service.database.scope import Scope
from service.database.types import AnyRow, Values
from service.observability.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Trail:
    """Hands out recorders; what they wrote is counted once it is committed."""

    database: Database
    metrics: Metrics

    async def change(self, scope: Scope, entry: AuditEntry, change: RecordedChange, values: Values) -> Sequence[AnyRow]:
        """Carry out one change that was built once, as `Recorder.change` does, in a transaction of its own."""
        if not self.database.has_row_level_security:
            async with self.writing(scope) as recorder:
                return await recorder.change(entry, change, values)
        touched = await self.database.execute(change.statement, {**entry.values(), **values}, scope)
        self._count([entry.event] if touched else [])
        return touched

    def writing(self, scope: Scope) -> AbstractAsyncContextManager[Recorder]:
        """A recorder for one change (see `Database.writing`)."""
        return self._recording(self.database.writing(scope))

    def transaction(self, scope: Scope) -> AbstractAsyncContextManager[Recorder]:
        """A recorder for several changes in one transaction."""
        return self._recording(self.database.transaction(scope))

    @asynccontextmanager
    async def _recording(self, unit: AbstractAsyncContextManager[AsyncConnection]) -> AsyncIterator[Recorder]:
        async with unit as connection:
            recorder = Recorder(connection)
            yield recorder
        self._count(recorder.events)

    def _count(self, written: Sequence[AuditEvent]) -> None:
        for event in written:
            self.metrics.audit_rows.labels(event).inc()
