"""On whose behalf a statement runs."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenant whose rows a statement may see and change; `platform`: also the list of all tenants."""

    tenant_id: UUID
    platform: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """A user, and the tenant that it belongs to."""

    tenant_id: UUID
    user_id: UUID

    @property
    def scope(self) -> Scope:
        """The rows that a statement about the user may touch."""
        return Scope(self.tenant_id)
