"""Measures every request that passes, whatever the answer is."""

import logging
from collections.abc import Awaitable, Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.observability.context import enter_request, leave_request
from service.observability.request_log import LOGGER
from service.observability.tracking import Header, Tracking
from service.problems import ProblemError, problem_response

_log = logging.getLogger(LOGGER)

UNMATCHED = "<unmatched>"
_API = "/api/v1/"
NO_STORE = (b"cache-control", b"no-store")  # RFC 6749, section 5.1


class PerformanceTrackingMiddleware:
    """Pure ASGI: a wrapper around `send`, no task and no copy of the body."""

    def __init__(self, app: ASGIApp, *, tracking: Tracking) -> None:
        self._app = app
        self._tracking = tracking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tracking = self._tracking
        request = tracking.begin(scope["headers"])
        status = 0

        # Hands `send`'s own awaitable on: a coroutine around it would cost 0.05 µs for each message.
        def send_with_headers(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = [*message.get("headers", ())]
                message["headers"] = [*given, *tracking.headers(request), *_caching(scope, given)]
            return send(message)

        token = enter_request(request)
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            _log.exception("unhandled_exception", extra={"fields": {"path": scope["path"]}})
            if status:  # too late for another answer: let the server close the connection
                raise
            await problem_response(_INTERNAL_ERROR)(scope, receive, send_with_headers)
        finally:
            tracking.end(request, scope["method"], _template(scope), status or 500)
            leave_request(token)


def _caching(scope: Scope, given: Iterable[Header]) -> Iterable[Header]:
    """No answer of the API may be kept, unless it says so itself: most hold tokens or what tokens give access to."""
    if not scope["path"].startswith(_API):
        return ()
    for name, _ in given:
        if name == b"cache-control":
            return ()
    return (NO_STORE,)


def _template(scope: Scope) -> str:
    """The route's template: a bounded set, unlike the path."""
    route = scope.get("route")
    if route is not None:
        template: str = route.path
        return template
    # The documentation's own routes leave no route in the scope, but they have no parameters either.
    return str(scope["path"]) if "endpoint" in scope else UNMATCHED


_INTERNAL_ERROR = ProblemError(500, "internal-error", "The request failed; its id leads to the reason in the log.")
