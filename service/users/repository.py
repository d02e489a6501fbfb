"""The SQL about users and what they may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import FromClause, and_, insert, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.repository import AuditEntry, change_and_record
from service.database.tables import role_permissions, tenants, user_roles, users
from service.database.types import AnyRow
from service.users.models import Grants, User

USER_COLUMNS = (
    users.c.id.label("user_id"),
    users.c.email,
    users.c.name,
    users.c.created_at,
    tenants.c.slug.label("tenant"),
)
GRANT_COLUMNS = (user_roles.c.role_name, role_permissions.c.permission_name)


class EmailTakenError(Exception):
    """The tenant has a user with this address already."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a login needs to know; the user is None if the tenant has none with that address."""

    tenant_id: UUID
    user: User | None
    password_hash: str | None
    grants: Grants


async def find_account(connection: AsyncConnection, tenant: str, email: str) -> Account | None:
    """The account of an address, in one query; None if there is no such tenant."""
    source = tenants.outerjoin(users, and_(users.c.tenant_id == tenants.c.id, users.c.email == email))
    statement = (
        select(tenants.c.id.label("tenant_id"), users.c.password_hash, *USER_COLUMNS, *GRANT_COLUMNS)
        .select_from(with_grants(source))
        .where(tenants.c.slug == tenant)
    )
    rows = (await connection.execute(statement)).all()
    if not rows:
        return None
    first = rows[0]
    user = None if first.user_id is None else user_of(first)
    return Account(first.tenant_id, user, first.password_hash, grants_of(rows))


async def create_user(
    connection: AsyncConnection, user: User, password_hash: str, role: str, entry: AuditEntry
) -> bool:
    """Write a new user with one role; False if there is no such tenant.

    Raises EmailTakenError; the transaction must then be rolled back.
    """
    row = {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "password_hash": password_hash,
        "created_at": user.created_at,
        "updated_at": user.created_at,
    }
    literals = [literal(value, users.c[name].type) for name, value in row.items()]
    insert_user = (
        insert(users)
        .from_select([*row, "tenant_id"], select(*literals, tenants.c.id).where(tenants.c.slug == user.tenant))
        .returning(users.c.tenant_id, users.c.id.label("user_id"))
    )
    # On PostgreSQL this runs also for an unknown tenant, when there is no user to give the role to.
    tenant_exists = select(tenants.c.id).where(tenants.c.slug == user.tenant).exists()
    grant = select(literal(user.id, users.c.id.type), literal(role)).where(tenant_exists)
    insert_role = insert(user_roles).from_select(["user_id", "role_name"], grant)
    try:
        return await change_and_record(connection, entry, insert_user, insert_role) is not None
    except IntegrityError as error:
        raise EmailTakenError from error


def with_grants(source: FromClause) -> FromClause:
    """Join roles and permissions to a source that holds users: a row for each pair, at least one."""
    return source.outerjoin(user_roles, user_roles.c.user_id == users.c.id).outerjoin(
        role_permissions, role_permissions.c.role_name == user_roles.c.role_name
    )


def grants_of(rows: Sequence[AnyRow]) -> Grants:
    """Fold the rows of one user, as `with_grants` gives them."""
    return Grants(
        roles=sorted({row.role_name for row in rows if row.role_name}),
        permissions=sorted({row.permission_name for row in rows if row.permission_name}),
    )


def user_of(row: AnyRow) -> User:
    """The user of a row that has USER_COLUMNS."""
    return User(id=row.user_id, email=row.email, name=row.name, tenant=row.tenant, created_at=row.created_at)
