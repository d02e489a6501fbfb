"""The routes that tell what a token stands for."""

from fastapi import APIRouter, Request

from service.access import BearerToken
from service.documentation import WITH_TOKEN
from service.observability.context import name_subject
from service.observability.metrics import Metrics
from service.problems import problem_responses
from service.sessions.service import SessionService
from service.tenants.header import ExpectedTenant
from service.tokens.models import ValidationAnswer
from service.users.models import Profile

# The whole path stands here, because the middleware reads a route's template from the route itself.
router = APIRouter(prefix="/api/v1/auth", tags=["tokens"])


@router.get("/me", responses=problem_responses(*WITH_TOKEN))
async def me(request: Request, token: BearerToken, tenant: ExpectedTenant = None) -> Profile:
    """Who the bearer of the token is, with roles and permissions."""
    sessions: SessionService = request.app.state.sessions
    profile = await sessions.profile(token, tenant)
    name_subject(profile.tenant, profile.id)
    return profile


@router.get("/validate", responses=problem_responses(*WITH_TOKEN))
async def validate(request: Request, token: BearerToken, tenant: ExpectedTenant = None) -> ValidationAnswer:
    """What the token stands for, if it is valid: the call that other services make for each of theirs."""
    sessions: SessionService = request.app.state.sessions
    metrics: Metrics = request.app.state.metrics
    with metrics.time_operation("validate"):
        caller = await sessions.resolve(token, tenant)
    name_subject(caller.tenant, caller.user_id)
    return ValidationAnswer(
        user_id=caller.user_id,
        tenant=caller.tenant,
        session_id=caller.session_id,
        permissions=sorted(caller.permissions),
        expires_at=caller.expires_at,
    )
