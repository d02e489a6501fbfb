"""Limits of a request: how large its body may be, and how long it may take.

There is one limit of time for both halves, sending the body and serving the request: so no request lasts longer
than `JANUA_REQUEST_TIMEOUT_SECONDS`, and a stop that waits that long cuts none off.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import body_too_large, body_too_slow, problem_response, took_too_long


class LimitsMiddleware:
    """Pure ASGI: a timer, no task; counts the bytes that pass, keeps none.

    A request whose time is over is cancelled where it waits. What it holds there has to be given back without
    waiting for anybody: see `TenantConnection.wait`.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced_bytes(scope) > self._max_bytes:
            await problem_response(body_too_large(self._max_bytes))(scope, receive, send)
            return
        exchange = _Exchange(receive, send, self._max_bytes)
        try:
            async with asyncio.timeout(self._seconds) as limit:
                await self._app(scope, exchange.receive, exchange.send)
        except TimeoutError:
            if not limit.expired() or exchange.answered:  # too late for another answer
                raise
            problem = body_too_slow if exchange.awaits_body else took_too_long
            await problem_response(problem(self._seconds))(scope, receive, send)


class _Exchange:
    """One request and its answer, as far as they have got."""

    __slots__ = ("_bytes_left", "_complete", "_max_bytes", "_receive", "_send", "answered", "awaits_body")

    def __init__(self, receive: Receive, send: Send, max_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._max_bytes = self._bytes_left = max_bytes
        self._complete = False
        self.awaits_body = False
        self.answered = False

    async def receive(self) -> Message:
        """The next part of the body. Problems: 413."""
        # After its end whoever asks wants to know whether the client has gone.
        self.awaits_body = not self._complete
        message = await self._receive()
        self.awaits_body = False
        self._complete = not message.get("more_body", False)
        self._bytes_left -= len(message.get("body", b""))
        if self._bytes_left < 0:
            raise body_too_large(self._max_bytes)
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        self.answered = True
        await self._send(message)


def _announced_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
