"""The routes of users: parse, call, answer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from service import problems
from service.access import Caller, CurrentCaller, requires
from service.documentation import WITH_BODY, WITH_QUERY, WITH_TOKEN
from service.pagination import DEFAULT_LIMIT, IdCursor, Limit, Page
from service.parts import part
from service.problems import problem_responses
from service.users.models import User, UserPatch
from service.users.service import UserService

router = APIRouter(prefix="/api/v1/users", tags=["users"])


Users = Annotated[UserService, part("users")]
Reader = Annotated[Caller, requires("users:read")]
Writer = Annotated[Caller, requires("users:write")]

_OF_CHANGE = (problems.email_taken(), problems.not_found("user"), problems.too_busy(1), *WITH_TOKEN, *WITH_BODY)


@router.get("", responses=problem_responses(problems.forbidden("users:read"), *WITH_TOKEN, *WITH_QUERY))
async def list_users(users: Users, caller: Reader, cursor: IdCursor, limit: Limit = DEFAULT_LIMIT) -> Page[User]:
    """The users of the caller's tenant in the order in which they signed up."""
    return await users.list(caller, cursor, limit)


@router.patch("/me", responses=problem_responses(*_OF_CHANGE))
async def update_me(body: UserPatch, users: Users, caller: CurrentCaller) -> User:
    """Change one's own name or e-mail address; the address is what one logs in with from then on."""
    return await users.update(caller, caller.user_id, body)


@router.get(
    "/{user_id}",
    responses=problem_responses(problems.forbidden("users:read"), problems.not_found("user"), *WITH_TOKEN, *WITH_QUERY),
)
async def get_user(user_id: UUID, users: Users, caller: Reader) -> User:
    """One user of the caller's tenant."""
    return await users.get(caller, user_id)


@router.patch("/{user_id}", responses=problem_responses(problems.forbidden("users:write"), *_OF_CHANGE))
async def update_user(user_id: UUID, body: UserPatch, users: Users, caller: Writer) -> User:
    """Change a user of the caller's tenant, but none who has a permission that the caller lacks."""
    return await users.update(caller, user_id, body)
