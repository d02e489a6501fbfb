"""A Redis that does what a test says, and what tests of its client share."""

import asyncio
import inspect
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import wraps
from typing import Any

import hiredis
import pytest
import uvloop

SECONDS = 60


def on_both_loops(scenario: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of a coroutine function: it runs on asyncio's own loop, and on uvloop's as in production.

    TimeoutError ends one that hangs.
    """

    @wraps(scenario)
    def test(new_loop: Callable[[], asyncio.AbstractEventLoop], **arguments: Any) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(asyncio.wait_for(scenario(**arguments), SECONDS))

    own = inspect.Parameter("new_loop", inspect.Parameter.KEYWORD_ONLY)
    others = inspect.signature(scenario).parameters.values()
    vars(test)["__signature__"] = inspect.Signature([*others, own])
    loops = [asyncio.new_event_loop, uvloop.new_event_loop]
    parametrized: Callable[..., None] = pytest.mark.parametrize("new_loop", loops, ids=["asyncio", "uvloop"])(test)
    return parametrized


async def until(condition: Callable[[], bool]) -> None:
    """Return when it holds; TimeoutError if it does not."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


def bulk(value: bytes) -> bytes:
    """A string as RESP has it."""
    return b"$%d\r\n%b\r\n" % (len(value), value)


def message(channel: bytes, payload: bytes) -> bytes:
    """A message to a subscriber as RESP has it."""
    return b">3\r\n" + bulk(b"message") + bulk(channel) + bulk(payload)


class FakeRedis:
    """Shakes hands as Redis does, and answers each GET with its key."""

    def __init__(self) -> None:
        self.port = 0
        self.run_id = b"a1"
        self.master_replid = b"b2"
        self.commands: list[list[bytes]] = []
        self.replies: dict[bytes, bytes] = {}
        """What is answered instead, by the first word of the command; nothing if it is empty."""
        self.accepted = 0
        self.writers: list[asyncio.StreamWriter] = []
        """Of the connections that are open."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.writers.append(writer)
        commands = hiredis.Reader(notEnoughData=None)
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    commands.feed(data)
                    while command := commands.gets():
                        self.commands.append(command)
                        writer.write(self._reply(command))
        finally:
            self.writers.remove(writer)
            writer.close()

    def say(self, raw: bytes) -> None:
        """Send that to every client."""
        for writer in self.writers:
            writer.write(raw)

    def _reply(self, command: list[bytes]) -> bytes:
        verb = command[0]
        if verb in self.replies:
            return self.replies[verb]
        if verb == b"INFO":
            return bulk(b"# Server\r\nrun_id:%b\r\nmaster_replid:%b\r\n" % (self.run_id, self.master_replid))
        if verb == b"SUBSCRIBE":
            return b">3\r\n" + bulk(b"subscribe") + bulk(command[1]) + b":1\r\n"
        return bulk(command[1]) if verb == b"GET" else b"+OK\r\n"


@asynccontextmanager
async def fake_redis(tls: ssl.SSLContext | None = None) -> AsyncIterator[FakeRedis]:
    """A fake that listens on a port of 127.0.0.1."""
    fake = FakeRedis()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0, ssl=tls)
    fake.port = server.sockets[0].getsockname()[1]
    async with server:
        yield fake
        await until(lambda: not fake.writers)
