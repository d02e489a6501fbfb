"""The routes of authentication: parse, call, answer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from service import problems
from service.auth.models import LoginAnswer, LoginRequest, SignupRequest, ValidationAnswer
from service.auth.service import AuthService
from service.observability.context import current_request
from service.observability.metrics import Metrics
from service.problems import problem_responses
from service.tenants.header import DEFAULT_TENANT, ExpectedTenant, Tenant
from service.users.models import Profile, User

# The whole path stands here, because the middleware reads a route's template from the route itself.
router = APIRouter(prefix="/api/v1/auth", tags=["auth"])

_bearer = HTTPBearer(auto_error=False, description="An access token as `POST /auth/login` gives it.")


async def _token(credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> str:
    if credentials is None:
        raise problems.invalid_token()
    return credentials.credentials


async def _auth(request: Request) -> AuthService:
    service: AuthService = request.app.state.auth
    return service


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


# What the document says of the problems that several routes have in common.
_NO_EMAIL = problems.FieldError(field="email", location="body", message="Field required")
_ALWAYS = (problems.database_unavailable(),)
_WITH_TOKEN = (problems.invalid_token(), *_ALWAYS)
_WITH_BODY = (
    problems.malformed_body(),
    problems.body_too_large(64 * 1024),
    problems.invalid_fields(_NO_EMAIL),
    problems.unknown_tenant("acme"),
    problems.too_busy(2),
    *_ALWAYS,
)

Token = Annotated[str, Depends(_token)]
Auth = Annotated[AuthService, Depends(_auth)]
Measured = Annotated[Metrics, Depends(_metrics)]


@router.post("/signup", status_code=HTTP_201_CREATED, responses=problem_responses(problems.email_taken(), *_WITH_BODY))
async def signup(body: SignupRequest, auth: Auth, metrics: Measured, tenant: Tenant = DEFAULT_TENANT) -> User:
    """Create a user in a tenant. An e-mail address is unique within a tenant, without regard to case."""
    with metrics.time_operation("signup"):
        user = await auth.signup(tenant, body)
    _name(tenant, user.id)
    return user


@router.post("/login", responses=problem_responses(problems.invalid_credentials(), *_WITH_BODY))
async def login(body: LoginRequest, auth: Auth, metrics: Measured, tenant: Tenant = DEFAULT_TENANT) -> LoginAnswer:
    """Open a session. An unknown user and a wrong password get the same answer in the same time."""
    with metrics.time_operation("login"):
        answer = await auth.login(tenant, body)
    _name(tenant, answer.user.id)
    return answer


@router.get("/me", responses=problem_responses(*_WITH_TOKEN))
async def me(token: Token, auth: Auth, tenant: ExpectedTenant = None) -> Profile:
    """Who the bearer of the token is, with roles and permissions."""
    profile = await auth.profile(token, tenant)
    _name(profile.tenant, profile.id)
    return profile


@router.get("/validate", responses=problem_responses(*_WITH_TOKEN))
async def validate(token: Token, auth: Auth, metrics: Measured, tenant: ExpectedTenant = None) -> ValidationAnswer:
    """What the token stands for, if it is valid: the call that other services make for each of theirs."""
    with metrics.time_operation("validate"):
        validation = await auth.validate(token, tenant)
    _name(validation.tenant, validation.user_id)
    return ValidationAnswer(**validation.model_dump())


@router.post("/logout", status_code=HTTP_204_NO_CONTENT, responses=problem_responses(*_WITH_TOKEN))
async def logout(token: Token, auth: Auth, tenant: ExpectedTenant = None) -> None:
    """End the session of the token. Once this is answered no replica accepts the token any more."""
    await auth.logout(token, tenant)


def _name(tenant: str, user_id: object) -> None:
    """Let the request's log line tell whom it served."""
    request = current_request()
    if request is not None:
        request.tenant, request.user_id = tenant, str(user_id)
