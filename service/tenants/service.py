"""The rules of tenants: who may see all of them and make new ones stands in the routes."""

from dataclasses import dataclass
from uuid import UUID

from service import problems
from service.access import Caller
from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry, Recorder
from service.audit.trail import Trail
from service.auth.passwords import Passwords
from service.clock import Clock
from service.database.engine import Database, enter_scope
from service.database.scope import Scope
from service.ids import new_id
from service.pagination import Page
from service.tenants.models import NewTenant, Tenant
from service.tenants.repository import SlugTakenError, create_tenant, list_tenants
from service.users.models import User
from service.users.repository import NewUser, create_user

ADMIN_ROLE = "tenant-admin"


@dataclass(frozen=True, slots=True)
class TenantService:
    """Every method may raise ProblemError."""

    database: Database
    trail: Trail
    passwords: Passwords
    clock: Clock

    async def list(self, caller: Caller, after: UUID | None, limit: int) -> Page[Tenant]:
        """All tenants in the order of their ids, which is that in which they were made."""
        async with self.database.reading(_platform(caller)) as connection:
            rows = await list_tenants(connection, after, limit + 1)
        tenants = [Tenant(**row._mapping) for row in rows]
        return Page[Tenant].cut(tenants, limit, lambda tenant: tenant.id.hex)

    async def create(self, caller: Caller, request: NewTenant) -> Tenant:
        """Make a tenant and, if asked to, its first administrator: both or none. Problems: 409, 429."""
        tenant = Tenant(id=new_id(), slug=request.slug, name=request.name, created_at=self.clock.now())
        admin = await self._administrator(request, tenant)
        details = {"slug": tenant.slug, "id": str(tenant.id)}
        entry = AuditEntry(AuditEvent.TENANT_CREATED, tenant.created_at, details)
        # Without an administrator it is a single statement, which needs no round trips of BEGIN and COMMIT.
        unit = self.trail.transaction if admin else self.trail.writing
        try:
            async with unit(_platform(caller)) as recorder:
                await create_tenant(recorder, tenant, caller.subject, entry)
                if admin:
                    await _create_administrator(recorder, caller, tenant, admin)
        except SlugTakenError:
            raise problems.slug_taken() from None
        return tenant

    async def _administrator(self, request: NewTenant, tenant: Tenant) -> NewUser | None:
        if request.admin is None:
            return None
        password_hash = await self.passwords.hash(request.admin.password)
        user = User(
            id=new_id(),
            email=request.admin.email,
            name=request.admin.name,
            tenant=tenant.slug,
            created_at=tenant.created_at,
        )
        return NewUser(user, password_hash, ADMIN_ROLE)


def _platform(caller: Caller) -> Scope:
    return Scope(caller.tenant_id, platform=True)


async def _create_administrator(recorder: Recorder, caller: Caller, tenant: Tenant, admin: NewUser) -> None:
    """Write the first user of a new tenant, into whose trail that goes."""
    await enter_scope(recorder.connection, Scope(tenant.id))
    entry = AuditEntry(AuditEvent.ADMIN_CREATED, tenant.created_at, {"actor_id": str(caller.user_id)})
    await create_user(recorder, tenant.id, admin, entry)
