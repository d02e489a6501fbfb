"""Commands and answers on one socket: who gets which answer, in which order, and how long is waited."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from itertools import count
from typing import Any

import pytest

from service.cache.resp import ConnectionLostError, RefusedError, RespProtocol
from service.clock import Clock, ManualClock, SystemClock
from tests.fake_redis import SECONDS, bulk, message, on_both_loops, until


@asynccontextmanager
async def wired(
    timeout_seconds: float = SECONDS, clock: Clock | None = None
) -> AsyncIterator[tuple[RespProtocol, socket.socket]]:
    """A protocol and the other end of its socket."""
    loop = asyncio.get_running_loop()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        made = loop.create_connection(
            lambda: RespProtocol(timeout_seconds, clock or SystemClock()), *listening.getsockname()
        )
        _, protocol = await made
        peer, _ = listening.accept()
    with closing(peer):
        peer.setblocking(False)
        yield protocol, peer
        protocol.lose("the test is over")


async def received(peer: socket.socket) -> bytes:
    return await asyncio.get_running_loop().sock_recv(peer, 1_000_000)


@on_both_loops
async def test_commands_of_one_turn_leave_together_and_get_their_answers_in_order() -> None:
    async with wired() as (protocol, peer):
        answers = [protocol.send("GET", b"key", number, 0.5) for number in range(3)]
        with pytest.raises(BlockingIOError):
            peer.recv(1)
        command = b"*4\r\n$3\r\nGET\r\n$3\r\nkey\r\n$1\r\n%d\r\n$3\r\n0.5\r\n"
        assert await received(peer) == b"".join(command % number for number in range(3))
        peer.send(b":7\r\n:8\r\n:9\r\n")
        assert await asyncio.gather(*answers) == [7, 8, 9]


@on_both_loops
async def test_who_is_cancelled_leaves_the_answers_of_the_others_alone() -> None:
    async with wired() as (protocol, peer):
        chance = random.Random(7)  # noqa: S311 - the same choice in every run
        asked: list[asyncio.Future[Any]] = []
        for turn in range(100):
            asked += [protocol.send("GET", turn) for _ in range(10)]
            if turn % 2:
                await asyncio.sleep(0)  # so that some are cancelled before they have left, others after
            for _ in range(3):
                chance.choice(asked).cancel()
        for number in range(len(asked)):
            peer.send(b":%d\r\n" % number)
            if number % 50 == 0:
                await asyncio.sleep(0)
                chance.choice(asked).cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        got = {number: answer for number, answer in enumerate(answers) if not isinstance(answer, BaseException)}
        assert 500 < len(got) < 1000
        assert all(answer == number for number, answer in got.items())


@pytest.mark.parametrize("pieces", ["at once", "byte by byte"])
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"+OK\r\n", b"OK"),
        (b"$-1\r\n", None),
        (b"_\r\n", None),
        (b"#f\r\n", False),
        (b"$0\r\n\r\n", b""),
        (b"$6\r\nab\r\ncd\r\n", b"ab\r\ncd"),
        (b"=7\r\ntxt:abc\r\n", b"abc"),
        (b"*2\r\n*2\r\n:1\r\n_\r\n*0\r\n", [[1, None], []]),
        (b"%1\r\n+a\r\n,1.5\r\n", {b"a": 1.5}),
    ],
)
@on_both_loops
async def test_answers_of_every_shape(raw: bytes, expected: object, pieces: str) -> None:
    async with wired() as (protocol, peer):
        answer, following = protocol.send("GET", "a"), protocol.send("GET", "b")
        whole = raw + b":42\r\n"
        for piece in [whole] if pieces == "at once" else [whole[i : i + 1] for i in range(len(whole))]:
            peer.send(piece)
            await asyncio.sleep(0.001)
        assert await answer == expected
        assert await following == 42


@on_both_loops
async def test_an_error_is_raised_by_its_code_alone_and_within_a_list_is_an_element() -> None:
    async with wired() as (protocol, peer):
        refused, listed = protocol.send("GET", "a"), protocol.send("EXEC")
        peer.send(b"-ERR unknown command, with args beginning with: 'secret'\r\n*2\r\n-OOM no memory\r\n:1\r\n")
        with pytest.raises(RefusedError, match=r"^ERR$") as error:
            await refused
        assert error.value.code == "ERR"
        inner, number = await listed
        assert isinstance(inner, RefusedError)
        assert (inner.code, number) == ("OOM", 1)


@pytest.mark.parametrize("pieces", ["at once", "byte by byte"])
@on_both_loops
async def test_a_message_is_heard_after_the_answers_before_it_and_before_those_after_it(pieces: str) -> None:
    async with wired() as (protocol, peer):
        heard: list[tuple[bytes, list[bool]]] = []
        asked: list[asyncio.Future[Any]] = []

        def hear(channel: bytes, payload: bytes) -> None:
            heard.append((channel + payload, [answer.done() for answer in asked]))

        protocol.listen(hear, lambda: None)
        asked += [protocol.send("GET", key) for key in "abc"]
        stream = b":1\r\n" + message(b"c", b"1") + message(b"c", b"2") + b":2\r\n" + message(b"c", b"3") + b":3\r\n"
        for piece in [stream] if pieces == "at once" else [stream[i : i + 1] for i in range(len(stream))]:
            peer.send(piece)
            await asyncio.sleep(0)
        assert await asyncio.gather(*asked) == [1, 2, 3]
        assert heard == [(b"c1", [True, False, False]), (b"c2", [True, False, False]), (b"c3", [True, True, False])]


@on_both_loops
async def test_nothing_is_heard_any_more_when_a_message_made_the_owner_close() -> None:
    async with wired() as (protocol, peer):
        heard: list[bytes] = []

        def hear(channel: bytes, payload: bytes) -> None:
            heard.append(payload)
            protocol.lose("enough")

        protocol.listen(hear, lambda: None)
        answer = protocol.send("GET", "a")
        peer.send(message(b"c", b"1") + message(b"c", b"2") + b":1\r\n")
        with pytest.raises(ConnectionLostError, match="enough"):
            await answer
        assert heard == [b"1"]


@on_both_loops
async def test_a_command_without_an_answer_ends_the_connection_when_its_time_is_over() -> None:
    clock = ManualClock()
    async with wired(0.01, clock) as (protocol, peer):
        first, second = protocol.send("GET", "a"), protocol.send("GET", "b")
        peer.send(b":1\r\n")
        assert await first == 1
        await asyncio.sleep(0.2)
        assert not second.done()
        clock.advance(0.02)
        with pytest.raises(ConnectionLostError, match="did not answer") as error:
            await second
        assert error.value.timed_out
        assert await received(peer) != b""
        assert await received(peer) == b""


@on_both_loops
async def test_a_new_command_is_not_blamed_for_the_age_of_those_before_it() -> None:
    clock = ManualClock()
    async with wired(0.01, clock) as (protocol, peer):
        for number in range(5):
            answer = protocol.send("GET", number)
            peer.send(b":%d\r\n" % number)
            assert await answer == number
            clock.advance(0.009)
        waiting = protocol.send("GET", "a")
        await asyncio.sleep(0.2)
        peer.send(b"+in time\r\n")
        assert await waiting == b"in time"


@on_both_loops
async def test_an_answer_that_lies_in_the_socket_is_not_late_because_this_process_stood_still() -> None:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    async with wired(0.05) as (protocol, peer):
        answer = protocol.send("GET", "a")
        await received(peer)

        # A callback of another socket: uvloop runs timers after it before it polls again.
        def stand_still() -> None:
            ours.recv(1)
            peer.send(b"+here\r\n")
            time.sleep(0.1)

        loop.add_reader(ours, stand_still)
        theirs.send(b"!")
        assert await answer == b"here"
        assert protocol.lost_because is None
        loop.remove_reader(ours)
    ours.close()
    theirs.close()


async def test_many_commands_share_a_timer_and_an_idle_connection_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wired(0.2) as (protocol, peer):
        loop = asyncio.get_running_loop()
        call_later = loop.call_later
        armed: list[float] = []

        def record(delay: float, callback: Callable[..., None], *arguments: Any) -> asyncio.TimerHandle:
            if getattr(callback, "__self__", None) is protocol:
                armed.append(delay)
            return call_later(delay, callback, *arguments)

        monkeypatch.setattr(loop, "call_later", record)
        answers = [protocol.send("GET", number) for number in range(10)]
        peer.send(b":1\r\n" * 10)
        await asyncio.gather(*answers)
        await asyncio.sleep(0.5)
        assert armed == [0.2]


@on_both_loops
async def test_a_redis_that_does_not_read_is_told_no_more_until_it_does() -> None:
    async with wired() as (protocol, peer):
        attempts = count()

        def is_refused() -> bool:
            assert next(attempts) < 1000
            try:
                protocol.send("SET", "a", b"x" * 100_000)
            except ConnectionLostError:
                return True
            return False

        await until(is_refused)
        assert protocol.lost_because is None
        while is_refused():
            await received(peer)
        assert protocol.lost_because is None


@pytest.mark.parametrize("raw", [b"HTTP/1.1 400 Bad Request\r\n", b"+1\r\n+2\r\n+3\r\n"])
@on_both_loops
async def test_what_makes_no_sense_ends_the_connection(raw: bytes) -> None:
    async with wired() as (protocol, peer):
        lost: list[bool] = []
        protocol.listen(lambda *_: None, lambda: lost.append(True))
        answers = [protocol.send("GET", key) for key in "ab"]
        peer.send(raw)
        await asyncio.gather(*answers, return_exceptions=True)
        await until(lambda: protocol.lost_because is not None)
        with pytest.raises(ConnectionLostError):
            protocol.send("GET", "c")
        assert lost == [True]


@on_both_loops
async def test_a_command_that_is_none_is_not_sent() -> None:
    async with wired() as (protocol, peer):
        with pytest.raises(TypeError):
            protocol.send("SET", "a", None)  # type: ignore[arg-type]
        answer = protocol.send("GET", "a")
        peer.send(bulk(b"mine"))
        assert await answer == b"mine"
