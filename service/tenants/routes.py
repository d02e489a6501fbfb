"""The routes of tenants: parse, call, answer."""

from typing import Annotated

from fastapi import APIRouter
from starlette.status import HTTP_201_CREATED

from service import problems
from service.access import Caller, requires
from service.documentation import WITH_BODY, WITH_HASH, WITH_QUERY, WITH_TOKEN
from service.pagination import DEFAULT_LIMIT, IdCursor, Limit, Page
from service.parts import part
from service.problems import problem_responses
from service.tenants.models import NewTenant, Tenant
from service.tenants.service import TenantService

router = APIRouter(prefix="/api/v1/tenants", tags=["tenants"])


Tenants = Annotated[TenantService, part("tenants")]


@router.get("", responses=problem_responses(problems.forbidden("tenants:read"), *WITH_TOKEN, *WITH_QUERY))
async def list_tenants(
    tenants: Tenants,
    caller: Annotated[Caller, requires("tenants:read")],
    cursor: IdCursor,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[Tenant]:
    """All tenants in the order in which they were made."""
    return await tenants.list(caller, cursor, limit)


@router.post(
    "",
    status_code=HTTP_201_CREATED,
    responses=problem_responses(
        problems.forbidden("tenants:write"), problems.slug_taken(), *WITH_TOKEN, *WITH_BODY, *WITH_HASH
    ),
)
async def create_tenant(
    body: NewTenant, tenants: Tenants, caller: Annotated[Caller, requires("tenants:write")]
) -> Tenant:
    """Make a tenant; people sign up in it with its slug in `X-Tenant`.

    `admin` becomes its first user, with the role `tenant-admin`. A tenant that is made without one has nobody who
    could give a role to anybody: whoever signs up is a member, and administrators see the users of their own tenant
    alone.
    """
    return await tenants.create(caller, body)
