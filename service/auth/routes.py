"""The routes of accounts: parse, call, answer."""

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from service import problems
from service.access import CurrentCaller
from service.auth.models import LoginRequest, PasswordChange, SignupRequest
from service.auth.service import AuthService
from service.documentation import WITH_BODY, WITH_HASH, WITH_TENANT
from service.observability.context import name_subject
from service.observability.metrics import Metrics
from service.parts import Measured, part
from service.problems import problem_responses
from service.sessions.models import LoginAnswer
from service.tenants.header import DEFAULT_TENANT, Tenant
from service.users.models import User

router = APIRouter(prefix="/api/v1/auth", tags=["accounts"])

_MAX_USER_AGENT = 200


Auth = Annotated[AuthService, part("auth")]
UserAgent = Annotated[str | None, Header(include_in_schema=False)]


@router.post(
    "/signup",
    status_code=HTTP_201_CREATED,
    responses=problem_responses(problems.email_taken(), *WITH_BODY, *WITH_TENANT, *WITH_HASH),
)
async def signup(body: SignupRequest, auth: Auth, metrics: Measured, tenant: Tenant = DEFAULT_TENANT) -> User:
    """Create a user in a tenant. An e-mail address is unique within a tenant, without regard to case."""
    with metrics.time_operation("signup"):
        user = await auth.signup(tenant, body)
    name_subject(tenant, user.id)
    return user


@router.post(
    "/login", responses=problem_responses(problems.invalid_credentials(), *WITH_BODY, *WITH_TENANT, *WITH_HASH)
)
async def login(
    body: LoginRequest,
    auth: Auth,
    metrics: Measured,
    user_agent: UserAgent = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> LoginAnswer:
    """Open a session. An unknown user, a wrong password and a locked account get the same answer in the same time.

    After ten failures an account is locked until fifteen minutes after the first of them.
    """
    return await log_in(auth, metrics, tenant, body, user_agent)


async def log_in(
    auth: AuthService, metrics: Metrics, tenant: str, request: LoginRequest, user_agent: str | None
) -> LoginAnswer:
    """Serve a login, whichever way it came (service/auth/shortcut.py)."""
    with metrics.time_operation("login"):
        answer = await auth.login(tenant, request, _printable(user_agent or ""))
    name_subject(tenant, answer.user.id)
    return answer


def _printable(user_agent: str) -> str | None:
    """What the client calls itself, without what a database or a page could not stand."""
    printable = user_agent if user_agent.isprintable() else "".join(filter(str.isprintable, user_agent))
    return printable[:_MAX_USER_AGENT] or None


@router.post(
    "/password",
    status_code=HTTP_204_NO_CONTENT,
    responses=problem_responses(problems.wrong_password(), *WITH_BODY, *WITH_HASH),
)
async def change_password(body: PasswordChange, auth: Auth, caller: CurrentCaller) -> None:
    """Set a new password. Every other session of the user ends; the one of this request goes on."""
    await auth.change_password(caller, body)
