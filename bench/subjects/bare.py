"""The least that a validation could cost here: a route of Starlette's that answers without looking anything up."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

# Of the size and form of what the service answers.
_ANSWER = {
    "user_id": "0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012",
    "tenant": "default",
    "session_id": "0193f2b0-d5ef-7b70-8e2d-4c6b8f90a123",
    "permissions": [],
    "expires_at": "2026-01-01T12:00:00.000000Z",
}


async def _validate(request: Request) -> JSONResponse:  # noqa: ARG001 - Starlette's signature
    return JSONResponse(_ANSWER)


app = Starlette(routes=[Route("/api/v1/auth/validate", _validate)])
