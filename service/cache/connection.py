"""One connection to Redis, opened when its owner asks for it."""

import asyncio
import hashlib
import re
import ssl
from collections.abc import Callable
from contextvars import Context
from typing import Any
from urllib.parse import unquote, urlsplit

from service.cache.resp import Argument, ConnectionLostError, RefusedError, RespProtocol
from service.clock import Clock

__all__ = ["ConnectionLostError", "RedisConnection", "RefusedError"]

_INFO = ("INFO", "server", "replication")
_IDENTITY = re.compile(rb"^(?:run_id|master_replid):(\w+)", re.MULTILINE)


class RedisConnection:
    """A connection that may be lost at any time, and then stays so until it is opened again.

    `url` is `redis://` or `rediss://` with a user name, host, port and number of the database, as far as they are
    not the usual ones; ValueError if port or number is none. A command without an answer for `timeout_seconds` ends
    the connection; one that is idle is not watched. `on_message` is called with channel and payload of what is
    published while it is open, at its place among the answers; if it raises, the connection ends. `on_lost` is called
    when a connection that was open is not any more, also after `close`.
    """

    def __init__(  # noqa: PLR0913 - where to, who is told and what time is
        self,
        url: str,
        password: str | None,
        *,
        timeout_seconds: float,
        on_message: Callable[[bytes, bytes], None],
        on_lost: Callable[[], None],
        clock: Clock,
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "localhost", parts.port or 6379
        self._tls = ssl.create_default_context() if parts.scheme == "rediss" else None
        self._user, self._password = unquote(parts.username or ""), password or ""
        self._database = int(parts.path.strip("/") or 0)
        self._timeout_seconds = timeout_seconds
        self._on_message = on_message
        self._on_lost = on_lost
        self._clock = clock
        self._protocol: RespProtocol | None = None
        self._incarnation = b""
        self._attempt: asyncio.Task[None] | None = None
        self._waiting = 0

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._protocol is not None

    @property
    def incarnation(self) -> bytes:
        """Which server and data it is connected to, as 16 hexadecimal digits; empty if it never was.

        Another server, one that was restarted or restored and one that follows another master have another. While
        there is no connection it is that of the last one.
        """
        return self._incarnation

    async def open(self, *channels: bytes) -> None:
        """Connect and subscribe to the channels, unless it is open; who calls meanwhile waits for the same attempt.

        ConnectionLostError says why it failed. An attempt for which nobody waits any more is given up.
        """
        if self.is_open:
            return
        if self._attempt is None or self._attempt.done():
            # In a context of its own: the connection outlives the request that happened to ask for it.
            self._attempt = asyncio.create_task(self._establish(channels), context=Context())
        attempt = self._attempt
        self._waiting += 1
        try:
            await asyncio.wait([attempt])
        except asyncio.CancelledError:
            if self._waiting == 1:
                self._end("nobody waits for the connection to Redis")
            raise
        finally:
            self._waiting -= 1
        if attempt.cancelled():
            raise ConnectionLostError("the connection to Redis was closed while it was being opened")
        attempt.result()

    def send(self, *command: Argument) -> asyncio.Future[Any]:
        """Send a command in this turn of the loop; the future of its answer, which may be cancelled.

        Raises ConnectionLostError if the command will not be sent. The future raises it if no answer came, and
        RefusedError if that is an error; an error within a list is an element of it.
        """
        if self._protocol is None:
            raise ConnectionLostError("there is no connection to Redis")
        return self._protocol.send(*command)

    async def read_incarnation(self) -> bytes:
        """Ask Redis for its incarnation. ConnectionLostError if it is another one, which also ends the connection."""
        read = _incarnation(await self.send(*_INFO))
        if read != self._incarnation:
            self._end("Redis holds other data than before")
            raise ConnectionLostError("Redis holds other data than before")
        return read

    async def close(self) -> None:
        """End the connection, or the attempt to open it; what was sent in this turn of the loop may not leave."""
        self._end("the connection to Redis was closed")

    def _end(self, reason: str) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None
        if self._protocol is not None:
            self._protocol.lose(reason)

    def _lost(self) -> None:
        self._protocol = None
        self._on_lost()

    async def _establish(self, channels: tuple[bytes, ...]) -> None:
        protocol = RespProtocol(self._timeout_seconds, self._clock)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await loop.create_connection(lambda: protocol, self._host, self._port, ssl=self._tls)
                incarnation = await self._greet(protocol, channels)
            protocol.listen(self._on_message, self._lost)
            self._protocol, self._incarnation = protocol, incarnation
        except (OSError, RefusedError, ConnectionLostError) as error:
            timed_out = isinstance(error, TimeoutError)
            reason = f"no answer within {self._timeout_seconds:g} s" if timed_out else error
            message = f"cannot connect to Redis at {self._host}:{self._port}: {reason}"
            raise ConnectionLostError(message, timed_out=timed_out) from error
        finally:
            if self._protocol is not protocol:
                protocol.lose("the connection to Redis was not opened")

    async def _greet(self, protocol: RespProtocol, channels: tuple[bytes, ...]) -> bytes:
        """The handshake in one round trip; the incarnation."""
        login = ("AUTH", self._user or "default", self._password) if self._user or self._password else ()
        answers = [protocol.send("HELLO", 3, *login, "SETNAME", "janua")]
        if self._database:
            answers.append(protocol.send("SELECT", self._database))
        answers += [protocol.send("SUBSCRIBE", channel) for channel in channels]
        answers.append(protocol.send(*_INFO))
        *_, info = await asyncio.gather(*answers)
        # It may have been lost after its last answer and before this task went on.
        if protocol.lost_because is not None:
            raise ConnectionLostError(protocol.lost_because)
        return _incarnation(info)


def _incarnation(info: bytes) -> bytes:
    identity = _IDENTITY.findall(info)
    if len(identity) != 2:
        raise ConnectionLostError("INFO does not say which server it is of")
    return hashlib.sha256(b" ".join(identity)).hexdigest()[:16].encode()
