"""The server: its settings that others rely on, and what it does with an answer that is at hand."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from service.server import KEEP_ALIVE_SECONDS, DrainingServer
from service.settings import Settings
from tests.harness import eventually
from tests.servers import ROOT

DIRECT = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\ndirect"


def test_an_idle_connection_is_never_closed_under_the_edge_that_is_about_to_use_it() -> None:
    """The edge hangs up first: a request in flight to a connection that is being closed would be lost."""
    [idle] = re.findall(r"timeout http-keep-alive (\d+)s", (ROOT / "infra/edge/haproxy.cfg").read_text())
    assert 2 * int(idle) <= KEEP_ALIVE_SECONDS


class Subject(Starlette):
    """Has answers at hand for `/direct`, which a task answers with `task`; `/slow` waits until it may go on."""

    def __init__(self) -> None:
        super().__init__(routes=[Route("/direct", self._task), Route("/slow", self._slow)])
        self.may_go_on = asyncio.Event()
        self.offered: list[list[tuple[bytes, bytes]]] = []
        self.fails = False
        self.state.draining = False

    def direct(self, scope: Scope, server_headers: list[tuple[bytes, bytes]]) -> bytes | None:
        self.offered.append(server_headers)
        if self.fails:
            raise ZeroDivisionError
        return DIRECT if scope["path"] == "/direct" else None

    async def _task(self, request: Request) -> Response:
        return PlainTextResponse("task")

    async def _slow(self, request: Request) -> Response:
        await self.may_go_on.wait()
        return PlainTextResponse("slow")


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, path: str, *headers: str, version: str = "1.1", body: str = "", times: int = 1) -> None:
        request = "\r\n".join([f"GET {path} HTTP/{version}", "Host: x", *headers, "", body])
        self._writer.write(times * request.encode())

    async def read(self) -> tuple[str, str]:
        """The head and the body of the next response."""
        async with asyncio.timeout(30):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
            [length] = re.findall(r"content-length: (\d+)", head)
            return head, (await self._reader.readexactly(int(length))).decode()

    async def is_closed(self) -> bool:
        async with asyncio.timeout(30):
            return await self._reader.read() == b""

    def hang_up(self) -> None:
        self._writer.close()


@asynccontextmanager
async def _serving(subject: Subject, settings: Settings) -> AsyncIterator[tuple[DrainingServer, Client]]:
    """The protocol that the server would use, and a connection to it."""
    server = DrainingServer(subject, settings)
    server.config.load()
    protocol: Any = server.config.http_protocol_class
    made = partial(protocol, config=server.config, server_state=server.server_state, app_state={})
    listener = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    client = Client(*await asyncio.open_connection("127.0.0.1", listener.sockets[0].getsockname()[1]))
    try:
        yield server, client
    finally:
        client.hang_up()
        listener.close()


@pytest.fixture
async def subject() -> Subject:
    return Subject()


@pytest.fixture
async def client(subject: Subject, settings: Settings) -> AsyncIterator[Client]:
    async with _serving(subject, settings) as (_, started):
        yield started


async def test_an_answer_at_hand_is_sent_as_it_is_and_the_connection_goes_on(client: Client) -> None:
    for _ in range(3):
        client.send("/direct")
        assert await client.read() == (DIRECT.partition(b"direct")[0].decode().lower(), "direct")


async def test_whatever_has_none_is_the_applications(client: Client, subject: Subject) -> None:
    subject.may_go_on.set()
    for path, answer in (("/slow", "slow"), ("/direct", "direct"), ("/slow", "slow")):
        client.send(path)
        assert (await client.read())[1] == answer


async def test_an_error_is_logged_and_the_application_answers(
    client: Client, subject: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    subject.fails = True
    client.send("/direct")
    assert (await client.read())[1] == "task"
    [record] = [record for record in caplog.records if record.message == "direct_answer_failed"]
    assert record.exc_info


@pytest.mark.parametrize(("headers", "version"), [(("Connection: close",), "1.1"), ((), "1.0")])
async def test_a_connection_that_ends_is_ended_by_the_application(
    client: Client, headers: tuple[str, ...], version: str
) -> None:
    client.send("/direct", *headers, version=version)
    head, body = await client.read()
    assert (body, "connection: close" in head) == ("task", True)
    assert await client.is_closed()


async def test_while_it_drains_each_answer_ends_its_connection(subject: Subject, settings: Settings) -> None:
    async with _serving(subject, settings) as (server, client):
        server.handle_exit(signal.SIGTERM, None)
        await server.on_tick(1)
        client.send("/direct")
        head, body = await client.read()
        assert (body, "connection: close" in head) == ("task", True)
        assert await client.is_closed()


async def test_answers_keep_the_order_of_pipelined_requests(
    client: Client, subject: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where so many wait that each being sent from within the one before would be too deep a stack."""
    waiting = 1500
    client.send("/slow")
    client.send("/direct", times=waiting)
    await eventually(lambda: bool(subject.offered))
    subject.may_go_on.set()
    answers = [(await client.read())[1] for _ in range(1 + waiting)]
    assert answers[0] == "slow"
    assert set(answers[1:]) <= {"direct", "task"}
    assert caplog.records == []


async def test_many_at_once_are_all_answered(client: Client) -> None:
    client.send("/direct", times=1500)
    assert [(await client.read())[1] for _ in range(1500)] == ["direct"] * 1500


async def test_a_body_that_comes_with_it_is_passed_over(client: Client) -> None:
    for _ in range(2):
        client.send("/direct", "Content-Length: 5", body="hello")
        assert (await client.read())[1] == "direct"


async def test_the_server_s_own_headers_are_handed_over(subject: Subject, settings: Settings) -> None:
    async with _serving(subject, settings) as (server, client):
        await server.on_tick(0)
        client.send("/direct")
        await client.read()
    [[(name, _)]] = subject.offered
    assert name == b"date"
