"""A client of HTTP/1.1 for tests of many thousands of requests, where a comfortable one would be the slowest part."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# The server hangs up on idle connections later than that: a request is never sent to one that is just being closed.
_IDLE_SECONDS = 30
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """Connections to one replica, each used by one request at a time and kept open."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._idle: list[tuple[float, _Connection]] = []

    async def request(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        extra: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, and wait for the whole answer."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: replica", f"Content-Length: {len(content)}"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines += ["Content-Type: application/json"] if content else []
        lines += [f"{name}: {value}" for name, value in (extra or {}).items()]
        reader, writer = await self._connection()
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + content)
            answer = await _read_answer(reader)
        except BaseException:
            writer.close()  # with half an answer in it, it is of no use to anybody else
            raise
        self._idle.append((time.monotonic(), (reader, writer)))
        return answer

    async def connect(self, count: int) -> None:
        """Open so many connections in advance: then as many requests can be sent at the same moment."""
        opened = await asyncio.gather(*(asyncio.open_connection(self._host, self._port) for _ in range(count)))
        self._idle += [(time.monotonic(), connection) for connection in opened]

    async def _connection(self) -> _Connection:
        while self._idle:
            since, (reader, writer) = self._idle.pop()
            if time.monotonic() < since + _IDLE_SECONDS and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    async def close(self) -> None:
        for _, (_, writer) in self._idle:
            writer.close()
            with suppress(OSError):  # the server was first
                await writer.wait_closed()


async def _read_answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return Answer(int(head[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0))))


@asynccontextmanager
async def wires(urls: list[str]) -> AsyncIterator[list[Wire]]:
    """A client for each of the replicas."""
    opened = [Wire(url) for url in urls]
    try:
        yield opened
    finally:
        for wire in opened:
            await wire.close()


async def in_parallel(work: Sequence[Callable[[], Awaitable[None]]], at_once: int = 16) -> None:
    """Do all of it, so much at a time."""
    todo = iter(work)

    async def worker() -> None:
        for task in todo:
            await task()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
