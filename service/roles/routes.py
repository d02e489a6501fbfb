"""The routes of roles: parse, call, answer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from service import problems
from service.access import Caller, requires
from service.documentation import WITH_BODY, WITH_QUERY, WITH_TOKEN
from service.parts import part
from service.problems import problem_responses
from service.roles.models import RoleAssignment
from service.roles.service import RoleService
from service.users.models import Grants

router = APIRouter(prefix="/api/v1/users", tags=["roles"])


Roles = Annotated[RoleService, part("roles")]


@router.get(
    "/{user_id}/roles",
    responses=problem_responses(problems.forbidden("roles:read"), problems.not_found("user"), *WITH_TOKEN, *WITH_QUERY),
)
async def get_roles(user_id: UUID, roles: Roles, caller: Annotated[Caller, requires("roles:read")]) -> Grants:
    """The roles of a user of the caller's tenant, and the permissions that follow from them."""
    return await roles.get(caller, user_id)


@router.put(
    "/{user_id}/roles",
    responses=problem_responses(
        problems.exceeds_own_permissions(),
        problems.not_found("user"),
        problems.own_roles(),
        problems.too_busy(1),
        *WITH_TOKEN,
        *WITH_BODY,
    ),
)
async def replace_roles(
    user_id: UUID, body: RoleAssignment, roles: Roles, caller: Annotated[Caller, requires("roles:write")]
) -> Grants:
    """Let a user have these roles and no others. Once this is answered every replica goes by them.

    Nobody gives or takes away a role with a permission that they lack themselves, and nobody takes a role away from
    themselves.
    """
    return await roles.replace(caller, user_id, body.roles)
