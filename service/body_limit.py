"""Refuses bodies that are too large: at once if their length is announced, else while they are read."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import body_too_large, problem_response


class BodyLimitMiddleware:
    """Pure ASGI: counts the bytes that pass, keeps none."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced_bytes(scope) > self._max_bytes:
            await problem_response(body_too_large(self._max_bytes))(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise body_too_large(self._max_bytes)
            return message

        await self._app(scope, receive_limited, send)


def _announced_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
