"""`GET /api/v1/auth/validate`, answered without the framework.

It is what this service is asked all day; what this process has in its memory is answered even before this, see
service/tokens/direct.py. Through FastAPI's own layers, the router, the dependencies and the rendering
of a model it costs many times what the look-up costs; `make bench` has the figures. So it is an ASGI application of
its own, which `service/app.py` puts beside the framework, behind the middleware that measures every request;
`service/tokens/routes.py` documents it.

The limits of a request do not apply: its body is not read, and each thing that it waits for has its own time-out.
"""

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from service import problems
from service.cache.entries import Validation
from service.clock import Clock
from service.observability.context import name_subject
from service.observability.metrics import Metrics
from service.problem_handlers import DATABASE_FAILURES, database_failure_response
from service.problems import ProblemError, problem_response
from service.sessions.identities import Identities

PATH = "/api/v1/auth/validate"
_SCHEME = b"bearer "


class ValidateEndpoint:
    """An ASGI application for this one path."""

    def __init__(self, identities: Identities, metrics: Metrics, clock: Clock, route: BaseRoute) -> None:
        self._identities = identities
        self._metrics = metrics
        self._monotonic = clock.monotonic
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope["route"] = self._route
        try:
            found = await self._validate(scope)
        except ProblemError as problem:
            await problem_response(problem)(scope, receive, send)
        except DATABASE_FAILURES as error:
            await database_failure_response(error)(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 200, "headers": found.answer.headers})
            await send({"type": "http.response.body", "body": found.answer.body})

    async def _validate(self, scope: Scope) -> Validation:
        started = self._monotonic()
        try:
            token, tenant = read_credentials(scope)
            if not token:
                raise problems.invalid_token()
            found = await self._identities.validate(token, tenant)
        finally:
            self._metrics.observe_operation("validate", self._monotonic() - started)
        name_subject(found.tenant, found.user_id)
        return found


def read_credentials(scope: Scope) -> tuple[str, str | None]:
    """The bearer token, empty if there is none, and the tenant that the caller expects."""
    token = tenant = None
    for name, value in scope["headers"]:
        if name == b"authorization" and token is None:
            has_scheme = value[: len(_SCHEME)].lower() == _SCHEME
            token = value[len(_SCHEME) :].strip().decode("latin-1") if has_scheme else ""
        elif name == b"x-tenant" and tenant is None:
            tenant = value.decode("latin-1")
    return token or "", tenant
