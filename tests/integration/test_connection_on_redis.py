"""The connection to Redis with a real one: whose answer it is, what order messages keep, which server it is."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from service.cache.connection import ConnectionLostError, RedisConnection, RefusedError
from service.clock import SystemClock
from tests.fake_redis import SECONDS, until
from tests.servers import Redis

pytestmark = pytest.mark.integration

CANCELLED = 1_000
COUNTED = 2_000
COUNT_AND_TELL = "local n = redis.call('INCR', KEYS[1]); redis.call('PUBLISH', 'counted', n); return n"


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """As in production on uvloop; TimeoutError if it hangs."""
    uvloop.run(asyncio.wait_for(scenario, SECONDS))


def connection(
    server: Redis,
    *,
    url: str = "redis://127.0.0.1:{port}/0",
    password: str | None = None,
    seconds: float = 30,
    on_message: Callable[[bytes, bytes], None] = lambda *_: None,
    on_lost: Callable[[], None] = lambda: None,
) -> RedisConnection:
    return RedisConnection(
        url.format(port=server.port),
        password or server.password_file.read_text(),
        timeout_seconds=seconds,
        on_message=on_message,
        on_lost=on_lost,
        clock=SystemClock(),
    )


def test_cancelled_requests_never_give_their_answer_to_another(redis: Redis) -> None:
    async def scenario() -> None:
        shared = connection(redis)
        await shared.open()
        chance = random.Random(11)  # noqa: S311 - the same choices in every run
        answered = strangers = cancelled = 0

        async def ask(number: int) -> None:
            nonlocal answered, strangers
            for turn in range(20):
                mine = b"%d:%d" % (number, turn)
                strangers += await shared.send("ECHO", mine) != mine
                answered += 1

        number = 0
        while cancelled < CANCELLED:
            number += 50
            requests = [asyncio.create_task(ask(each)) for each in range(number, number + 50)]
            for _ in range(chance.randrange(1, 8)):
                await asyncio.sleep(0)
            for request in chance.sample(requests, 25):
                cancelled += request.cancel()
            await asyncio.gather(*requests, return_exceptions=True)
            assert (strangers, shared.is_open) == (0, True)
        assert answered > CANCELLED
        await shared.close()

    run(scenario())


def test_a_message_stands_between_the_answers_from_before_and_after_it(redis: Redis) -> None:
    # Counting and telling is one step in Redis: what was answered between two messages is the number of the first.
    asked: list[asyncio.Future[Any]] = []
    told: list[int] = []
    misplaced: list[tuple[int, list[int]]] = []
    between = 0

    def hear(_: bytes, payload: bytes) -> None:
        nonlocal between
        number = int(payload)
        told.append(number)
        answered = [int(answer.result() or 0) for answer in asked if answer.done()]
        between += len(answered)
        if set(answered) - {number - 1}:
            misplaced.append((number, answered))
        asked[:] = [answer for answer in asked if not answer.done()]

    async def scenario() -> None:
        listening, telling = connection(redis, on_message=hear), connection(redis)
        await listening.open(b"counted")
        await telling.open()
        chance = random.Random(13)  # noqa: S311 - the same choices in every run
        while len(told) < COUNTED:
            asked.extend(listening.send("GET", "count") for _ in range(chance.randrange(5)))
            counting = [telling.send("EVAL", COUNT_AND_TELL, 1, "count") for _ in range(chance.randrange(5))]
            asked.extend(listening.send("GET", "count") for _ in range(chance.randrange(5)))
            if chance.random() < 0.5:
                await asyncio.gather(*counting)
        await listening.close()
        await telling.close()

    run(scenario())
    assert misplaced == []
    assert told[:COUNTED] == list(range(1, COUNTED + 1))
    assert between > COUNTED


def test_its_own_message_comes_after_the_answer_to_publishing_it(redis: Redis) -> None:
    heard: list[tuple[bytes, bytes, bool, bool]] = []
    asked: list[asyncio.Future[Any]] = []

    async def scenario() -> None:
        def hear(channel: bytes, payload: bytes) -> None:
            heard.append((channel, payload, asked[0].done(), asked[1].done()))

        own = connection(redis, on_message=hear)
        await own.open(b"channel", b"other")
        asked.extend([own.send("PUBLISH", "channel", b"\x00\r\n"), own.send("ECHO", "after")])
        assert await asyncio.gather(*asked) == [1, b"after"]
        await own.close()

    run(scenario())
    assert heard == [(b"channel", b"\x00\r\n", True, False)]


def test_who_it_is_and_where(redis: Redis) -> None:
    async def scenario() -> None:
        admin = connection(redis)
        await admin.open()
        await admin.send("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all")
        app = connection(redis, url="redis://app@127.0.0.1:{port}/3", password="secret")
        await app.open(b"channel")
        assert await app.send("ACL", "WHOAMI") == b"app"
        info = dict(word.split(b"=") for word in (await app.send("CLIENT", "INFO")).split())
        assert [info[key] for key in (b"name", b"db", b"resp", b"sub")] == [b"janua", b"3", b"3", b"1"]
        await app.send("SET", "a", "text")
        with pytest.raises(RefusedError) as error:
            await app.send("INCRBY", "a", 1)
        assert error.value.code == "ERR"
        await asyncio.gather(app.close(), admin.close())
        wrong = connection(redis, password="a wrong one")
        with pytest.raises(ConnectionLostError, match="WRONGPASS"):
            await wrong.open()

    run(scenario())


def test_a_restarted_redis_is_another_incarnation(own_redis: Redis) -> None:
    losses: list[bool] = []

    async def scenario() -> None:
        own = connection(own_redis, on_lost=lambda: losses.append(True))
        await own.open()
        before = own.incarnation
        assert await own.read_incarnation() == before
        await asyncio.to_thread(own_redis.container.restart)
        await until(lambda: not own.is_open)
        await asyncio.to_thread(own_redis.wait)
        await own.open()
        assert own.incarnation != before
        assert losses == [True]

        before = own.incarnation
        await own.send("REPLICAOF", "127.0.0.1", "1")
        await own.send("REPLICAOF", "NO", "ONE")
        with pytest.raises(ConnectionLostError, match="other data"):
            await own.read_incarnation()
        assert losses == [True, True]

    run(scenario())


def test_a_redis_that_stands_still_is_given_up_and_found_again(own_redis: Redis) -> None:
    async def scenario() -> None:
        own = connection(own_redis, seconds=5)  # enough to open it on a machine that stands still for a moment
        await own.open()
        incarnation = own.incarnation
        await asyncio.to_thread(own_redis.container.pause)
        with pytest.raises(ConnectionLostError) as error:
            await own.send("GET", "a")
        assert error.value.timed_out
        assert not own.is_open
        with pytest.raises(ConnectionLostError) as error:
            await own.open()
        assert error.value.timed_out
        await asyncio.to_thread(own_redis.container.unpause)
        await own.open()
        assert own.incarnation == incarnation
        assert await own.send("ECHO", "a") == b"a"
        await own.close()

    run(scenario())
