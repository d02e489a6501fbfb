"""The routes of sessions: parse, call, answer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.status import HTTP_204_NO_CONTENT

from service import problems
from service.access import CurrentCaller
from service.documentation import WITH_BODY, WITH_QUERY, WITH_TOKEN
from service.pagination import DEFAULT_LIMIT, IdCursor, Limit, Page
from service.parts import part
from service.problems import problem_responses
from service.sessions.models import RefreshRequest, Session, TokenPair
from service.sessions.refresh import RefreshService
from service.sessions.service import SessionService
from service.tenants.header import ExpectedTenant

router = APIRouter(prefix="/api/v1/auth", tags=["sessions"])


Sessions = Annotated[SessionService, part("sessions")]


@router.post(
    "/refresh", responses=problem_responses(problems.invalid_refresh_token(), problems.too_busy(1), *WITH_BODY)
)
async def refresh(
    body: RefreshRequest, refreshing: Annotated[RefreshService, part("refresh")], tenant: ExpectedTenant = None
) -> TokenPair:
    """Exchange a refresh token for a new pair; the tokens of before are worth nothing from then on.

    A refresh token is good for one exchange. Within five seconds it may be presented again by whoever did not get
    the answer, and gets the same one; later, or once the new pair was refreshed itself, that means that somebody
    has a copy, and ends the session.
    """
    return await refreshing.refresh(body.refresh_token, tenant)


@router.post("/logout", status_code=HTTP_204_NO_CONTENT, responses=problem_responses(*WITH_TOKEN))
async def logout(sessions: Sessions, caller: CurrentCaller) -> None:
    """End the session of the token. Once this is answered no replica accepts the token any more."""
    await sessions.logout(caller)


@router.post("/logout-all", status_code=HTTP_204_NO_CONTENT, responses=problem_responses(*WITH_TOKEN))
async def logout_all(sessions: Sessions, caller: CurrentCaller) -> None:
    """End every session of the user. Once this is answered no replica accepts any of their tokens."""
    await sessions.logout_all(caller)


@router.get("/sessions", responses=problem_responses(*WITH_TOKEN, *WITH_QUERY))
async def list_sessions(
    sessions: Sessions, caller: CurrentCaller, cursor: IdCursor, limit: Limit = DEFAULT_LIMIT
) -> Page[Session]:
    """The live sessions of the user, the newest first."""
    return await sessions.list(caller, cursor, limit)


@router.delete(
    "/sessions/{session_id}",
    status_code=HTTP_204_NO_CONTENT,
    responses=problem_responses(problems.not_found("session"), *WITH_TOKEN, *WITH_QUERY),
)
async def end_session(session_id: UUID, sessions: Sessions, caller: CurrentCaller) -> None:
    """End one session of the user; its tokens are refused as after a logout."""
    await sessions.end(caller, session_id)
