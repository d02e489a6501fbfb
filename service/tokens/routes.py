"""The routes that tell what a token stands for, and those of signed tokens."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from service import problems
from service.access import BearerToken, Caller, CurrentCaller, requires
from service.documentation import WITH_BODY, WITH_TOKEN
from service.observability.context import name_subject
from service.parts import part
from service.problems import problem_responses
from service.sessions.identities import Identities
from service.tenants.header import ExpectedTenant
from service.tokens.keys import KEY_SET_SECONDS
from service.tokens.models import (
    ActiveToken,
    InactiveToken,
    IntrospectionRequest,
    JwtAnswer,
    KeySet,
    ValidationAnswer,
)
from service.tokens.service import TokenService
from service.users.models import Profile

# The whole path stands here, because the middleware reads a route's template from the route itself.
router = APIRouter(prefix="/api/v1/auth", tags=["tokens"])
well_known_router = APIRouter(prefix="/.well-known", tags=["tokens"])

_INTROSPECT = "tokens:introspect"


Tokens = Annotated[TokenService, part("tokens")]
Known = Annotated[Identities, part("identities")]


@router.get("/me", responses=problem_responses(*WITH_TOKEN))
async def me(identities: Known, token: BearerToken, tenant: ExpectedTenant = None) -> Profile:
    """Who the bearer of the token is, with roles and permissions."""
    profile = await identities.profile(token, tenant)
    name_subject(profile.tenant, profile.id)
    return profile


@router.get("/validate", responses=problem_responses(*WITH_TOKEN))
async def validate(token: BearerToken, tenant: ExpectedTenant = None) -> ValidationAnswer:
    """What the token stands for, if it is valid: the call that other services make for each of theirs."""
    raise NotImplementedError("ValidateEndpoint answers before the router is asked; this documents it")


@router.post("/jwt", responses=problem_responses(*WITH_TOKEN))
async def issue_jwt(tokens: Tokens, caller: CurrentCaller) -> JwtAnswer:
    """A signed token for services that cannot ask here: it lives for five minutes at most.

    It cannot be revoked: that is why it lives so briefly, and only a session that lives at this moment gets one.
    """
    return await tokens.issue(caller)


@router.post(
    "/introspect",
    response_model_exclude_none=True,
    responses=problem_responses(problems.forbidden(_INTROSPECT), *WITH_TOKEN, *WITH_BODY),
)
async def introspect(
    form: Annotated[IntrospectionRequest, Form()], tokens: Tokens, caller: Annotated[Caller, requires(_INTROSPECT)]
) -> ActiveToken | InactiveToken:
    """What an access token of somebody else stands for (RFC 7662). Needs the permission `tokens:introspect`.

    Access tokens only: any other token is as inactive as one that does not exist, and so is one of another tenant
    unless the caller may see all tenants (`tenants:read`).
    """
    return await tokens.introspect(caller, form.token)


@well_known_router.get("/jwks.json")
async def key_set(tokens: Tokens, response: Response) -> KeySet:
    """The keys that verify signed tokens: those that sign now, did so lately or will do so next."""
    response.headers["Cache-Control"] = f"public, max-age={KEY_SET_SECONDS}"
    return tokens.key_set()
