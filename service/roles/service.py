"""The rules of roles at work: seeing those of a user and changing them."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from service import problems
from service.access import Caller
from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry
from service.audit.trail import Trail
from service.cache.service import UserChange
from service.clock import Clock
from service.database.engine import Database
from service.database.scope import Subject
from service.roles.repository import change_roles, find_roles
from service.roles.rules import Catalogue, RoleChange, grants_of, require_known, require_permitted
from service.users.copies import UserCopies
from service.users.models import Grants
from service.users.repository import Member, find_member
from service.users.service import existing

# Each attempt means that the user was changed by somebody else in between.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class RoleService:
    """Every method may raise ProblemError, and concerns the users of the caller's tenant."""

    database: Database
    trail: Trail
    copies: UserCopies
    clock: Clock

    async def get(self, caller: Caller, user_id: UUID) -> Grants:
        """The roles of a user and what follows from them. Problems: 404."""
        subject = Subject(caller.tenant_id, user_id)
        async with self.database.reading(subject.scope) as connection:
            return existing(await find_member(connection, subject)).grants

    async def replace(self, caller: Caller, user_id: UUID, wanted: Collection[str]) -> Grants:
        """Let a user have these roles and no others; it holds everywhere when this returns.

        Problems: 403, 404, 409, 429.
        """
        subject = Subject(caller.tenant_id, user_id)
        for _ in range(_ATTEMPTS):
            member, catalogue = await self._read(subject, wanted)
            require_known(wanted, catalogue)
            change = RoleChange.between(member.grants.roles, wanted)
            require_permitted(change, catalogue, caller.permissions, of_oneself=user_id == caller.user_id)
            if not change or await self._write(caller, subject, member.version, change):
                # Without a change, too: whoever made it may have died before the copies were removed.
                version = member.version + bool(change)
                await self.copies.forget(subject, UserChange(user_id, version, caller.tenant, [member.user.email]))
                return grants_of(wanted, catalogue)
        raise problems.too_busy(1)

    async def _read(self, subject: Subject, wanted: Collection[str]) -> tuple[Member, Catalogue]:
        """A user, and the roles that it has or shall have."""
        async with self.database.reading(subject.scope) as connection:
            member = existing(await find_member(connection, subject))
            return member, await find_roles(connection, {*wanted, *member.grants.roles})

    async def _write(self, caller: Caller, subject: Subject, version: int, change: RoleChange) -> bool:
        details = {
            "added": sorted(change.added),
            "removed": sorted(change.removed),
            "actor_id": str(caller.user_id),
        }
        entry = AuditEntry(AuditEvent.ROLES_CHANGED, self.clock.now(), details)
        async with self.trail.writing(subject.scope) as recorder:
            return await change_roles(recorder, subject, version, change, entry)
