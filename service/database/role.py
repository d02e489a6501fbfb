"""Whether row level security binds the role that the service connects as: the owner of the tables is not bound."""

import logging

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from service.clock import Clock
from service.database.engine import Database
from service.observability.metrics import Metrics

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 10

# Null before there are tables with policies. Whoever has the owner's privileges counts as owner.
_IS_RESTRICTED = text(
    "SELECT NOT bool_or(me.rolsuper OR me.rolbypassrls OR pg_has_role(tables.relowner, 'USAGE'))"
    " FROM pg_roles me, pg_class tables JOIN pg_namespace schema ON schema.oid = tables.relnamespace"
    " WHERE me.rolname = current_user AND tables.relrowsecurity AND schema.nspname = current_schema()"
)


class RoleCheck:
    """Looks once, as soon as it can: warns if tenants are kept apart by the service's own statements alone."""

    def __init__(self, database: Database, clock: Clock, metrics: Metrics) -> None:
        self._database = database
        self._clock = clock
        self._gauge = metrics.database_role_restricted

    async def run(self) -> None:
        """Ask until there is an answer, and return then."""
        if not self._database.has_row_level_security:
            return
        while (restricted := await self._is_restricted()) is None:
            await self._clock.sleep(_RETRY_SECONDS)
        self._gauge.set(restricted)
        if not restricted:
            _log.warning(
                "database_role_bypasses_rls", extra={"fields": {"remedy": "connect as a role that owns nothing"}}
            )

    async def _is_restricted(self) -> bool | None:
        try:
            async with self._database.reading() as connection:
                answer: bool | None = (await connection.execute(_IS_RESTRICTED)).scalar_one()
        except (SQLAlchemyError, OSError, TimeoutError):
            return None
        return answer
