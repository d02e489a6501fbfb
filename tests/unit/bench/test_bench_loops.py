"""The loops: what is sent when, and from when latency counts."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from bench.load.closed import ClosedLoop
from bench.load.crowd import Crowd
from bench.load.open import Line, OpenLoop
from bench.load.requests import LOGIN, VALIDATE, Request, Validations, Workload
from bench.load.samples import Outcome
from loadtest.population.users import Population
from tests.unit.bench.serving import ok, serving, until

POPULATION = Population("test", 10)


class Same(Workload):
    """The same request without end."""

    def __iter__(self) -> Iterator[Request]:
        while True:
            yield Request("any", b"GET / HTTP/1.1\r\n\r\n", 200)


class ManualClock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_latency_counts_from_the_intended_time_though_the_server_stalls() -> None:
    stall, clock = asyncio.Event(), ManualClock()

    async def answer(_request: bytes) -> list[bytes]:
        await stall.wait()
        return [ok()]

    async with serving(answer) as (port, requests):
        line = Line(OpenLoop(port, Same(), connections=1, rate=10, seconds=0.5), clock)
        for tenths in range(5):
            clock.now = 100.001 + tenths / 10
            line.tick()
        await until(lambda: len(requests) == 1)
        clock.now = 102
        stall.set()
        await line.all_answered
        samples = line.close()
    # Only the first was on the wire: the other four waited for the connection, and their latency says so.
    assert list(samples.at) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert list(samples.latency) == pytest.approx([2, 1.9, 1.8, 1.7, 1.6])
    assert samples.late == 0


async def test_a_generator_that_was_held_up_says_so() -> None:
    clock = ManualClock()

    async def answer(_request: bytes) -> list[bytes]:
        return [ok()]

    async with serving(answer) as (port, _):
        line = Line(OpenLoop(port, Same(), connections=5, rate=10, seconds=0.5), clock)
        clock.now = 100.4
        line.tick()
        await line.all_answered
        samples = line.close()
    assert samples.count() == 5
    assert samples.late == 4  # the fifth was due just then
    assert samples.is_late()


async def test_what_has_no_answer_at_the_end_is_lost() -> None:
    clock = ManualClock()

    async def answer(_request: bytes) -> list[bytes]:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(answer) as (port, requests):
        line = Line(OpenLoop(port, Same(), connections=1, rate=2, seconds=1), clock)
        clock.now = 100.5
        line.tick()
        await until(lambda: len(requests) == 1)
        samples = line.close()
    assert samples.server_errors() == samples.count() == 2


async def test_an_open_loop_goes_on_sending_while_a_closed_one_waits() -> None:
    async def answer(_request: bytes) -> list[bytes]:
        if len(requests) == 1:
            await asyncio.sleep(0.5)
        return [ok()]

    async with serving(answer) as (port, requests):
        samples = await OpenLoop(port, Same(), connections=1, rate=40, seconds=0.5).run()
    assert samples.count() == samples.outcomes(Outcome.RIGHT) == 20
    # Those that were to be sent in the first quarter of a second waited for the rest of the stall.
    assert sum(latency >= 0.25 for latency in samples.latency) >= 10
    async with serving(answer) as (port, requests):
        samples = await ClosedLoop(port, Same(), connections=1, seconds=0.1).run()
    assert samples.count() == 1


async def test_a_closed_loop_can_send_a_given_number() -> None:
    async def answer(request: bytes) -> list[bytes]:
        number = next(n for n in range(10) if POPULATION.token(n).encode() in request)
        return [ok(str(POPULATION.user_id(number)).encode())]

    everyone = Validations(POPULATION, 0, 10, "in turn")
    async with serving(answer) as (port, requests):
        samples = await ClosedLoop(port, everyone, connections=3, seconds=60, requests=10).run()
    assert samples.outcomes(Outcome.RIGHT) == samples.count() == 10
    assert len(set(requests)) == 10


async def test_a_crowd_logs_in_and_validates_its_own_tokens() -> None:
    def owner(number: int) -> bytes:
        return json.dumps({"user_id": str(POPULATION.user_id(number))}).encode()

    async def answer(request: bytes) -> list[bytes]:
        if request.startswith(b"POST /api/v1/auth/login "):
            email = json.loads(request.partition(b"\r\n\r\n")[2])["email"]
            return [ok(json.dumps({"access_token": f"token-of-{email}"}).encode())]
        return [ok(owner(next(n for n in range(3) if f"token-of-{POPULATION.email(n)}".encode() in request)))]

    async with serving(answer) as (port, _):
        crowd = Crowd(port, POPULATION, users=3, pause_seconds=0.05, arrival_seconds=0.1, seconds=5)
        samples = await crowd.run()
    assert samples.count(LOGIN) == 3
    assert samples.count(VALIDATE) >= 3
    assert samples.outcomes(Outcome.RIGHT) == samples.count()
