"""The client against a server that answers in every way that a server may."""

import asyncio

from bench.load.client import LOST, Client
from tests.unit.bench.serving import ok, serving, until

REQUEST = b"GET / HTTP/1.1\r\nHost: janua\r\n\r\n"


class Caller:
    """Sends a request, and gives its answer."""

    def __init__(self, port: int) -> None:
        self.client = Client(port, self._answered)
        self.answers: list[tuple[int, bytes]] = []

    async def ask(self) -> tuple[int, bytes]:
        count = len(self.answers)
        self.client.send(REQUEST)
        await until(lambda: len(self.answers) > count)
        return self.answers[-1]

    def _answered(self, _client: Client, status: int, body: bytes) -> None:
        self.answers.append((status, body))


async def test_an_answer_in_one_piece_and_in_many() -> None:
    whole = ok(b'{"user_id": "1"}')

    async def answer(_request: bytes) -> list[bytes]:
        return [whole] if len(requests) == 1 else [whole[:5], whole[5:40], whole[40:-3], whole[-3:]]

    async with serving(answer) as (port, requests):
        caller = Caller(port)
        assert [await caller.ask() for _ in range(2)] == [(200, b'{"user_id": "1"}')] * 2
        caller.client.close()


async def test_refusals_and_answers_without_a_body() -> None:
    answers = [ok(b"no", "401 Unauthorized"), b"HTTP/1.1 204 No Content\r\n\r\n", ok(b"", "503 Service Unavailable")]

    async def answer(_request: bytes) -> list[bytes]:
        return [answers[len(requests) - 1]]

    async with serving(answer) as (port, requests):
        caller = Caller(port)
        assert [await caller.ask() for _ in answers] == [(401, b"no"), (204, b""), (503, b"")]
        caller.client.close()


async def test_a_connection_that_the_server_ends_is_made_anew() -> None:
    async def answer(_request: bytes) -> list[bytes]:
        return [ok(b"bye", "200 OK", "Connection: close"), b""]

    async with serving(answer) as (port, requests):
        caller = Caller(port)
        assert [await caller.ask() for _ in range(3)] == [(200, b"bye")] * 3
        assert len(requests) == 3
        caller.client.close()


async def test_a_connection_that_breaks_within_an_answer_loses_it_and_no_other() -> None:
    async def answer(_request: bytes) -> list[bytes]:
        return [ok(b"half of it")[:-4], b""] if len(requests) == 1 else [ok()]

    async with serving(answer) as (port, requests):
        caller = Caller(port)
        assert [await caller.ask() for _ in range(2)] == [(LOST, b""), (200, b"{}")]
        caller.client.close()


async def test_where_nobody_listens_the_request_is_lost() -> None:
    async with serving(lambda _: asyncio.sleep(0, [])) as (port, _):
        pass
    assert await Caller(port).ask() == (LOST, b"")
