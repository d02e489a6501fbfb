"""The SQL about tenants."""

from uuid import UUID

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.database.lookup import look_up
from service.database.tables import tenants


async def find_tenant_id(connection: AsyncConnection, slug: str) -> UUID | None:
    """The id of a tenant."""
    plain = select(tenants.c.id.label("tenant_id")).where(tenants.c.slug == slug)
    rows = await look_up(connection, "janua_tenant_id", [literal(slug)], plain)
    return rows[0].tenant_id if rows else None
