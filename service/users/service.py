"""The rules of users: seeing them and changing what is known of them."""

from dataclasses import dataclass
from uuid import UUID

from service import problems
from service.access import Caller
from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry
from service.audit.trail import Trail
from service.auth.lockout import Lockout
from service.cache.service import UserChange
from service.clock import Clock
from service.database.engine import Database
from service.database.scope import Subject
from service.pagination import Page
from service.roles.rules import require_within
from service.users.copies import UserCopies
from service.users.models import User, UserPatch
from service.users.repository import EmailTakenError, Member, find_member, update_user, users_page

# Each attempt means that the user was changed by somebody else in between.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class UserService:
    """Every method may raise ProblemError, and concerns the users of the caller's tenant."""

    database: Database
    trail: Trail
    copies: UserCopies
    lockout: Lockout
    clock: Clock

    async def list(self, caller: Caller, after: UUID | None, limit: int) -> Page[User]:
        """The users in the order of their ids, which is that in which they signed up."""
        async with self.database.reading(caller.subject.scope) as connection:
            rows = (await connection.execute(users_page(caller.tenant_id, after, limit + 1))).all()
        users = [User(**row._mapping, tenant=caller.tenant) for row in rows]
        return Page[User].cut(users, limit, lambda user: user.id.hex)

    async def get(self, caller: Caller, user_id: UUID) -> User:
        """One user. Problems: 404."""
        return (await self._find(Subject(caller.tenant_id, user_id))).user

    async def update(self, caller: Caller, user_id: UUID, patch: UserPatch) -> User:
        """Change a user, who may not have permissions that the caller lacks. Problems: 403, 404, 409, 429."""
        subject = Subject(caller.tenant_id, user_id)
        for _ in range(_ATTEMPTS):
            member = await self._find(subject)
            if user_id != caller.user_id:
                require_within(caller.permissions, member.grants.permissions)
            if not patch.changes:
                return member.user
            if await self._write(caller, subject, member, patch):
                changed = member.user.model_copy(update=patch.changes)
                emails = [member.user.email, changed.email]
                await self.copies.forget(subject, UserChange(user_id, member.version + 1, caller.tenant, emails))
                return changed
        raise problems.too_busy(1)

    async def _find(self, subject: Subject) -> Member:
        async with self.database.reading(subject.scope) as connection:
            return existing(await find_member(connection, subject))

    async def _write(self, caller: Caller, subject: Subject, member: Member, patch: UserPatch) -> bool:
        details = {"fields": sorted(patch.changes), "actor_id": str(caller.user_id)}
        entry = AuditEntry(AuditEvent.USER_UPDATED, self.clock.now(), details)
        dependents = []
        if (email := patch.changes.get("email")) is not None:
            dependents = [self.lockout.carried_over(member.user.email, email, entry.at, self.database.dialect)]
        try:
            async with self.trail.writing(subject.scope) as recorder:
                return await update_user(recorder, subject, member.version, patch.changes, entry, *dependents)
        except EmailTakenError:
            raise problems.email_taken() from None


def existing(member: Member | None) -> Member:
    """A user that was looked for. Problems: 404 if the tenant has no such user."""
    if member is None:
        raise problems.not_found("user")
    return member
