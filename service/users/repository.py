"""The SQL about users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Insert,
    Select,
    String,
    Update,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.repository import AuditEntry, Dependent, RecordedChange, Recorder
from service.database.engine import Database
from service.database.lookup import LookUp
from service.database.scope import Subject
from service.database.tables import login_failures, role_permissions, tenants, user_roles, users
from service.database.types import AnyRow, UtcDateTime, Values
from service.users.models import Grants, User

USER_COLUMNS = (
    users.c.id.label("user_id"),
    users.c.email,
    users.c.name,
    users.c.created_at,
    tenants.c.slug.label("tenant"),
)
TOUCHED = (users.c.tenant_id, users.c.id.label("user_id"))
_WRITTEN = ("id", "tenant_id", "email", "name", "password_hash", "created_at")
GRANT_COLUMNS = (user_roles.c.role_name, role_permissions.c.permission_name)


class EmailTakenError(Exception):
    """The tenant has a user with this address already."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a login needs to know; the user is None if the tenant has none with that address.

    `failures`: of the present window. `version`: a change of the user since this was read has raised it.
    """

    tenant_id: UUID
    user: User | None
    password_hash: str | None
    version: int
    failures: int
    grants: Grants


@dataclass(frozen=True, slots=True)
class Member:
    """A user as an administrator's change finds it; `version` is raised by every other change."""

    user: User
    version: int
    grants: Grants


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user about to be written, with its one role."""

    user: User
    password_hash: str
    role: str


async def find_account(
    database: Database, tenant: str, email: str, account: str, failures_since: datetime
) -> Account | None:
    """The account of an address, in one query; None if there is no such tenant.

    `account` is what failures are counted for, as `login_failures` knows it.
    """
    rows = await _account.ask(database, tenant, email, account, failures_since)
    if not rows:
        return None
    first = rows[0]
    user = None if first.user_id is None else user_of(first)
    return Account(first.tenant_id, user, first.password_hash, first.version or 0, first.failures, grants_of(rows))


async def find_member(connection: AsyncConnection, subject: Subject) -> Member | None:
    """A user with roles and permissions, in one query; None if the tenant has no such user."""
    statement = (
        select(users.c.version, *USER_COLUMNS, *GRANT_COLUMNS)
        .select_from(with_grants(users.join(tenants, tenants.c.id == users.c.tenant_id)))
        .where(users.c.id == subject.user_id, users.c.tenant_id == subject.tenant_id)
    )
    rows = (await connection.execute(statement)).all()
    return Member(user_of(rows[0]), rows[0].version, grants_of(rows)) if rows else None


def users_page(tenant_id: UUID, after: UUID | None, limit: int) -> Select[Any]:
    """The users of a tenant in the order of their ids, beginning after one of them; without the tenant's slug."""
    columns = users.c.id, users.c.email, users.c.name, users.c.created_at
    statement = select(*columns).where(users.c.tenant_id == tenant_id).order_by(users.c.id).limit(limit)
    return statement if after is None else statement.where(users.c.id > after)


async def create_user(recorder: Recorder, tenant_id: UUID, new: NewUser, entry: AuditEntry) -> None:
    """Write a new user with one role. Raises EmailTakenError; the transaction must then be rolled back."""
    values = {
        "new_id": new.user.id,
        "new_tenant_id": tenant_id,
        "new_email": new.user.email,
        "new_name": new.user.name,
        "new_password_hash": new.password_hash,
        "new_created_at": new.user.created_at,
        "new_role": new.role,
    }
    try:
        await recorder.change(entry, _creation, values)
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


async def update_user(
    recorder: Recorder,
    subject: Subject,
    version: int,
    values: Mapping[str, str | None],
    entry: AuditEntry,
    *dependents: Dependent,
) -> bool:
    """Set columns of a user, and what depends on that; False if it was changed since the version was read.

    Raises EmailTakenError; the transaction must then be rolled back.
    """
    change = changed_user(subject, entry.at).where(users.c.version == version).values(**values)
    try:
        return bool(await recorder.change(entry, RecordedChange(change.returning(*TOUCHED), *dependents)))
    except IntegrityError as error:
        raise EmailTakenError from error


async def change_password(  # noqa: PLR0913, PLR0917 - whose, what, and on which condition
    recorder: Recorder,
    subject: Subject,
    hashes: tuple[str, str],
    entry: AuditEntry,
    unless: ColumnElement[bool],
    values: Values,
) -> int | None:
    """Set another password, by its hash before and after; the user's version since then.

    None if the password is not the old one any more, or `unless` holds with these values.
    """
    old_hash, new_hash = hashes
    change = changed_user(subject, entry.at).where(users.c.password_hash == old_hash, ~unless)
    returned = change.values(password_hash=new_hash).returning(*TOUCHED, users.c.version)
    touched = await recorder.change(entry, RecordedChange(returned), values)
    return touched[0].version if touched else None


async def upgrade_hash(recorder: Recorder, subject: Subject, old_hash: str, new_hash: str, entry: AuditEntry) -> None:
    """Store another hash of the same password, unless the password was changed: no change of the user."""
    change = update(users).where(
        users.c.id == subject.user_id, users.c.tenant_id == subject.tenant_id, users.c.password_hash == old_hash
    )
    await recorder.change(entry, RecordedChange(change.values(password_hash=new_hash).returning(*TOUCHED)))


def changed_user(subject: Subject, at: datetime) -> Update:
    """The change of a user's row, to be completed: every one of them raises the version that a login checks."""
    return (
        update(users)
        .where(users.c.id == subject.user_id, users.c.tenant_id == subject.tenant_id)
        .values(updated_at=at, version=users.c.version + 1)
    )


def _account_look_up() -> LookUp:
    tenant, email, account = (bindparam(name, type_=String) for name in ("tenant", "email", "account"))
    failures_since = bindparam("failures_since", type_=UtcDateTime)
    source = tenants.outerjoin(users, and_(users.c.tenant_id == tenants.c.id, users.c.email == email)).outerjoin(
        login_failures,
        and_(
            login_failures.c.tenant_id == tenants.c.id,
            login_failures.c.account == account,
            login_failures.c.window_started_at > failures_since,
        ),
    )
    plain = (
        select(
            tenants.c.id.label("tenant_id"),
            users.c.password_hash,
            users.c.version,
            func.coalesce(login_failures.c.failures, 0).label("failures"),
            *USER_COLUMNS,
            *GRANT_COLUMNS,
        )
        .select_from(with_grants(source))
        .where(tenants.c.slug == tenant)
    )
    return LookUp("janua_account", [tenant, email, account, failures_since], plain)


def _user_creation() -> RecordedChange:
    def grant(whom: FromClause) -> Insert:
        row = select(whom.c.tenant_id, whom.c.user_id, bindparam("new_role", type_=String))
        return insert(user_roles).from_select(["tenant_id", "user_id", "role_name"], row)

    columns = {name: bindparam(f"new_{name}", type_=users.c[name].type) for name in _WRITTEN}
    change = insert(users).values(**columns, updated_at=columns["created_at"])
    return RecordedChange(change.returning(*TOUCHED), grant)


_account = _account_look_up()
_creation = _user_creation()
