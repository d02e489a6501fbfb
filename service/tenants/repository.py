"""The SQL about tenants."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import String, Uuid, bindparam, insert, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit.repository import AuditEntry, RecordedChange, Recorder
from service.database.engine import Database
from service.database.lookup import LookUp
from service.database.scope import Subject
from service.database.tables import tenants
from service.database.types import AnyRow
from service.tenants.models import Tenant


class SlugTakenError(Exception):
    """There is a tenant with this slug already."""


async def find_tenant_id(database: Database, slug: str) -> UUID | None:
    """The id of a tenant."""
    rows = await _tenant_id.ask(database, slug)
    return rows[0].tenant_id if rows else None


async def list_tenants(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[AnyRow]:
    """All tenants in the order of their ids, beginning after one of them; needs the platform's scope."""
    statement = select(tenants).order_by(tenants.c.id).limit(limit)
    if after is not None:
        statement = statement.where(tenants.c.id > after)
    return (await connection.execute(statement)).all()


async def create_tenant(recorder: Recorder, tenant: Tenant, creator: Subject, entry: AuditEntry) -> None:
    """Write a tenant and, in its creator's trail, the entry; needs the platform's scope.

    Raises SlugTakenError; the transaction must then be rolled back.
    """
    change = insert(tenants).values(tenant.model_dump())
    creator_columns = (
        literal(creator.tenant_id, Uuid).label("tenant_id"),
        literal(creator.user_id, Uuid).label("user_id"),
    )
    try:
        await recorder.change(entry, RecordedChange(change.returning(*creator_columns)))
    except IntegrityError as error:
        raise SlugTakenError from error


def _tenant_id_look_up() -> LookUp:
    slug = bindparam("slug", type_=String)
    return LookUp("janua_tenant_id", [slug], select(tenants.c.id.label("tenant_id")).where(tenants.c.slug == slug))


_tenant_id = _tenant_id_look_up()
