"""A client of HTTP/1.1 for tests of many thousands of requests, where a comfortable one would be the slowest part."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


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
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def request(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        extra: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, and wait for the whole answer."""
        reader, writer = await self._connection()
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: replica", f"Content-Length: {len(content)}"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines += ["Content-Type: application/json"] if content else []
        lines += [f"{name}: {value}" for name, value in (extra or {}).items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        answer = Answer(
            int(head[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))
        )
        self._idle.append((reader, writer))
        return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():  # the server hangs up on those that were idle for seconds
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def wires(urls: list[str]) -> AsyncIterator[list[Wire]]:
    """A client for each of the replicas."""
    opened = [Wire(url) for url in urls]
    yield opened
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
