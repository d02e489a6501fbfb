"""Who makes a request and what they may do."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service import problems
from service.database.scope import Subject
from service.observability.context import name_subject
from service.tenants.header import ExpectedTenant

if TYPE_CHECKING:
    from service.sessions.identities import Identities

_bearer = HTTPBearer(auto_error=False, description="An access token as `POST /auth/login` gives it.")


@dataclass(frozen=True, slots=True)
class Caller:
    """The session that a request's access token stands for."""

    token_hash: str
    user_id: UUID
    tenant_id: UUID
    tenant: str
    session_id: UUID
    permissions: frozenset[str]
    expires_at: datetime

    @property
    def subject(self) -> Subject:
        """The caller's user."""
        return Subject(self.tenant_id, self.user_id)


async def _token(credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> str:
    if credentials is None:
        raise problems.invalid_token()
    return credentials.credentials


BearerToken = Annotated[str, Depends(_token)]
"""The access token of a request, unproved. Problems: 401 if there is none."""


async def _caller(request: Request, token: BearerToken, tenant: ExpectedTenant = None) -> Caller:
    identities: Identities = request.app.state.identities
    caller = await identities.resolve(token, tenant)
    name_subject(caller.tenant, caller.user_id)
    return caller


CurrentCaller = Annotated[Caller, Depends(_caller)]
"""The dependency of a route that anyone may call who has a session. Problems: 401."""


def requires(permission: str) -> Any:
    """The dependency of a route that needs a permission; it gives the caller. Problems: 401, 403."""

    async def permitted(caller: CurrentCaller) -> Caller:
        if permission not in caller.permissions:
            raise problems.forbidden(permission)
        return caller

    return Depends(permitted)
