"""A client of HTTP/1.1 with nothing in it that a benchmark does not need.

One request at a time on a connection; it understands answers with `Content-Length` or without a body, which is all
that the measured programs send.
"""

import asyncio
from collections.abc import Callable

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_CLOSE = b"connection: close"
_WITHOUT_BODY = (204, 304)
LOST = 0
"""The status of a request whose connection ended, or could not be made, before its answer came."""

Answered = Callable[["Client", int, bytes], None]
"""Called with the client, which is free again, the status and the body of an answer."""


class Client:
    """Keeps one connection to a port of 127.0.0.1, and makes a new one when the server has ended it."""

    def __init__(self, port: int, answered: Answered) -> None:
        self._port = port
        self._answered = answered
        self._wire: _Wire | None = None
        self._opening: asyncio.Task[None] | None = None
        self._is_waiting = False

    def send(self, request: bytes) -> None:
        """Send a request; the answer comes through the callback. The one before must have been answered."""
        self._is_waiting = True
        if self._wire is not None:
            self._wire.transport.write(request)
        else:
            self._opening = asyncio.create_task(self._open(request))

    def close(self) -> None:
        """Close the connection; an answer that is still to come is not reported any more."""
        self._is_waiting = False
        if self._opening is not None:
            self._opening.cancel()
        self._hang_up()

    def finished(self, status: int, body: bytes, *, keep: bool) -> None:
        """Take an answer from the wire."""
        if not keep:
            self._hang_up()
        self._report(status, body)

    def lost(self, wire: "_Wire") -> None:
        """Learn from a wire that it has ended; one that was hung up before is of no interest any more."""
        if wire is self._wire:
            self._wire = None
            self._report(LOST, b"")

    async def _open(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, self._wire = await loop.create_connection(lambda: _Wire(self), "127.0.0.1", self._port)
        except OSError:
            self._report(LOST, b"")
        else:
            self._wire.transport.write(request)

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.transport.abort()
            self._wire = None

    def _report(self, status: int, body: bytes) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._answered(self, status, body)


class _Wire(asyncio.Protocol):
    """One connection: cuts what comes in into answers."""

    transport: asyncio.Transport

    def __init__(self, client: Client) -> None:
        self._client = client
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # that of a stream is one that writes

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(_HEAD_END)
        if end >= 0:
            head = data[:end].lower()
            status = int(head[9:12])
            body_start = end + len(_HEAD_END)
            body_end = body_start + _body_length(head, status)
            if len(data) >= body_end:
                self._buffer = b""
                self._client.finished(status, data[body_start:body_end], keep=_CLOSE not in head)
                return
        self._buffer = data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._client.lost(self)


def _body_length(head: bytes, status: int) -> int:
    if status in _WITHOUT_BODY:
        return 0
    start = head.find(_LENGTH)
    if start < 0:
        raise ValueError(f"an answer without Content-Length: {head!r}")
    end = head.find(b"\r\n", start)
    return int(head[start + len(_LENGTH) : end if end >= 0 else len(head)])
