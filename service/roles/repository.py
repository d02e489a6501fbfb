"""The SQL about roles."""

from collections.abc import Collection

from sqlalchemy import Delete, FromClause, Insert, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.repository import AuditEntry, Dependent, RecordedChange, Recorder
from service.database.scope import Subject
from service.database.tables import role_permissions, roles, user_roles, users
from service.roles.rules import Catalogue, RoleChange
from service.users.repository import TOUCHED, changed_user


async def find_roles(connection: AsyncConnection, names: Collection[str]) -> Catalogue:
    """Those of the named roles that there are, with their permissions, in one query."""
    statement = (
        select(roles.c.name, role_permissions.c.permission_name)
        .select_from(roles.outerjoin(role_permissions, role_permissions.c.role_name == roles.c.name))
        .where(roles.c.name.in_(names))
    )
    found: dict[str, set[str]] = {}
    for row in await connection.execute(statement):
        found.setdefault(row.name, set()).update([row.permission_name] if row.permission_name else [])
    return {name: frozenset(permissions) for name, permissions in found.items()}


async def change_roles(
    recorder: Recorder, subject: Subject, version: int, change: RoleChange, entry: AuditEntry
) -> bool:
    """Give roles to a user and take others away; False if the user was changed since the version was read.

    The user's row comes first: it is locked until the commit, and a login that verified the password before reads
    the roles anew (`open_session`).
    """

    def give(whom: FromClause) -> Insert:
        source = whom.join(roles, roles.c.name.in_(change.added))
        rows = select(whom.c.tenant_id, whom.c.user_id, roles.c.name).select_from(source)
        return insert(user_roles).from_select(["tenant_id", "user_id", "role_name"], rows)

    def take(whom: FromClause) -> Delete:
        return delete(user_roles).where(
            user_roles.c.tenant_id == subject.tenant_id,
            user_roles.c.user_id == select(whom.c.user_id).scalar_subquery(),
            user_roles.c.role_name.in_(change.removed),
        )

    dependents: list[Dependent] = [*([give] if change.added else []), *([take] if change.removed else [])]
    changed = changed_user(subject, entry.at).where(users.c.version == version)
    return bool(await recorder.change(entry, RecordedChange(changed.returning(*TOUCHED), *dependents)))
