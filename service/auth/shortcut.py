"""`POST /api/v1/auth/login` past the framework, as it nearly always comes.

To find the route, to solve the dependencies and to render the model costs FastAPI a quarter of what a login costs
beside its hash (0.3 of 1.2 ms, without the hashes that empty the processor's caches meanwhile). So it is served here,
behind the middlewares; whatever is unusual, a body that is not valid above all, goes on to the framework as it came.
"""

from collections.abc import Sequence

from pydantic import ValidationError
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.auth.models import LoginRequest
from service.auth.routes import log_in
from service.auth.service import AuthService
from service.observability.metrics import Metrics
from service.problem_handlers import DATABASE_FAILURES, database_failure_response
from service.problems import ProblemError, problem_response
from service.sessions.models import LoginAnswer
from service.tenants.header import DEFAULT_TENANT

PATH = "/api/v1/auth/login"
_JSON = b"application/json"


class LoginShortcut:
    """Pure ASGI: reads the body of a login, and serves it if it is one."""

    def __init__(self, app: ASGIApp, *, auth: AuthService, metrics: Metrics, route: BaseRoute) -> None:
        self._app = app
        self._auth = auth
        self._metrics = metrics
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        try:
            messages = await _read(receive)
            request = _login_in(scope, messages)
            answer = await self._log_in(scope, request) if request else None
        except ProblemError as problem:
            await problem_response(problem)(scope, receive, send)
        except DATABASE_FAILURES as error:
            await database_failure_response(error)(scope, receive, send)
        else:
            if answer is None:
                await self._app(scope, _replay(messages, receive), send)
            else:
                await _send(answer, send)

    async def _log_in(self, scope: Scope, request: LoginRequest) -> LoginAnswer:
        tenant = _header(scope, b"x-tenant")
        tenant = DEFAULT_TENANT if tenant is None else tenant
        return await log_in(self._auth, self._metrics, tenant, request, _header(scope, b"user-agent"))


async def _send(answer: LoginAnswer, send: Send) -> None:
    body = answer.model_dump_json().encode()
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", _JSON)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read(receive: Receive) -> Sequence[Message]:
    """All that belongs to the body, or comes in its place. Problems: 413."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _login_in(scope: Scope, messages: Sequence[Message]) -> LoginRequest | None:
    """The login that a request asks for; None if that is for the framework to say."""
    if _header(scope, b"content-type") != _JSON.decode() or messages[-1]["type"] != "http.request":
        return None
    try:
        return LoginRequest.model_validate_json(b"".join(message.get("body", b"") for message in messages))
    except ValidationError:
        return None


def _header(scope: Scope, name: bytes) -> str | None:
    """The first header of a name, as the framework reads it."""
    for given, value in scope["headers"]:
        if given == name:
            return str(value, "latin-1")
    return None


def _replay(messages: Sequence[Message], receive: Receive) -> Receive:
    """What gives messages once more that were read, and then goes on."""
    left = iter(messages)

    async def replay() -> Message:
        return next(left, None) or await receive()

    return replay
