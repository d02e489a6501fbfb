"""Faults that tests inject: a process that stands still, and a network that misbehaves on the way to Redis."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from multiprocessing.connection import Connection

SLOW_SECONDS = 1.0
_CHUNK_BYTES = 65_536


@contextmanager
def stopped(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let a process stand still until the block ends; what is sent to it waits in its sockets."""
    process.send_signal(signal.SIGSTOP)
    try:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        yield
    finally:
        process.send_signal(signal.SIGCONT)


class Network(Enum):
    """What becomes of the bytes between a replica and Redis."""

    OPEN = "they pass"
    SLOW = f"each answer takes {SLOW_SECONDS} s longer"
    HELD = "they wait, and arrive when the network opens again"
    LOST = "they are swallowed, silently and both ways"
    DEAF = "answers are swallowed, requests pass"
    CLOSED = "connections are cut, new ones refused"


class Proxy:
    """The way to Redis: a process of its own, so that a busy test does not slow it down."""

    def __init__(self, port: int, control: Connection) -> None:
        self.port = port
        self._control = control

    @contextmanager
    def network(self, fault: Network) -> Iterator[None]:
        """Let the network be so until the block ends."""
        self._become(fault)
        try:
            yield
        finally:
            self._become(Network.OPEN)

    def cut(self) -> None:
        """End every connection; new ones are accepted again at once."""
        with self.network(Network.CLOSED):
            pass

    def _become(self, network: Network) -> None:
        self._control.send(network)
        self._control.recv()  # it is so now


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy in front of a port of 127.0.0.1, on a port of its own."""
    spawning = multiprocessing.get_context("spawn")  # a fork would inherit the test's event loop
    control, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(port, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Proxy(control.recv(), control)
    finally:
        process.kill()
        process.join()
        control.close()


def _serve(target: int, control: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever interrupts the tests does not mean their proxy
    asyncio.run(_Links(target).run(control))


class _Links:
    """The proxy's own side: connections to it, and those that it made for them."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._network = Network.OPEN
        self._opened = asyncio.Event()
        self._opened.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._lossy: set[asyncio.StreamWriter] = set()

    async def run(self, control: Connection) -> None:
        """Serve and obey until the other end of `control` is closed."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        control.send(port)
        with suppress(EOFError):
            while True:
                self._network = await asyncio.to_thread(control.recv)
                if self._network is Network.CLOSED:
                    server.close()
                    self._end(self._writers)
                elif not server.is_serving():
                    server = await asyncio.start_server(self._accept, "127.0.0.1", port)
                if self._network is Network.OPEN:
                    # What is left of a stream with a gap must not be taken for all of it.
                    self._end(self._lossy)
                    self._opened.set()
                else:
                    self._opened.clear()
                control.send(None)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = {writer}
        self._writers.add(writer)
        try:
            with suppress(OSError):
                from_redis, to_redis = await asyncio.open_connection("127.0.0.1", self._target)
                link.add(to_redis)
                self._writers.add(to_redis)
                requests = self._pass_on(reader, to_redis, answers=False)
                await asyncio.gather(requests, self._pass_on(from_redis, writer, answers=True))
        finally:
            self._end(link)
            self._writers -= link
            self._lossy -= link

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            if self._network is Network.SLOW and answers:
                await asyncio.sleep(SLOW_SECONDS)
            if self._network is Network.HELD:
                await self._opened.wait()
            if self._network is Network.LOST or (self._network is Network.DEAF and answers):
                self._lossy.add(writer)
            else:
                writer.write(chunk)
                await writer.drain()
        await self._opened.wait()  # nor does anybody hear that the other one has hung up
        writer.close()

    def _end(self, writers: set[asyncio.StreamWriter]) -> None:
        for writer in writers:
            writer.transport.abort()
