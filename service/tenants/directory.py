"""Which tenant a slug means."""

from contextlib import suppress
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from service import problems
from service.database.engine import Database
from service.problems import ProblemError
from service.tenants.repository import find_tenant_id

# Tenants are few, but an attacker's slugs would not be: only those that exist are remembered.
_MAX_REMEMBERED = 100_000


class TenantDirectory:
    """Remembers the ids of tenants: a tenant is never removed and never gets another slug."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[str, UUID] = {}

    async def remember(self, slug: str) -> None:
        """Spare the first request the look-up, if the database can be asked already."""
        with suppress(SQLAlchemyError, OSError, ProblemError):
            await self.find(slug)

    async def find(self, slug: str) -> UUID:
        """The id of a tenant. Problems: 404."""
        known = self._ids.get(slug)
        if known is not None:
            return known
        found = await find_tenant_id(self._database, slug)
        if found is None:
            raise problems.unknown_tenant(slug)
        if len(self._ids) < _MAX_REMEMBERED:
            self._ids[slug] = found
        return found
