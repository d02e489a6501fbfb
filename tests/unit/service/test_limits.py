"""What a request may take: time until its body is complete, and until it is answered."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import Request
from starlette.responses import StreamingResponse

from service.settings import Settings
from tests.harness import Api, problem, running

SECONDS = 0.3


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    async with running(settings.model_copy(update={"request_timeout_seconds": SECONDS})) as started:
        yield started


async def _incomplete() -> AsyncIterator[bytes]:
    yield b'{"email": '
    await asyncio.Event().wait()


async def test_a_body_that_does_not_end_is_a_408(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.client.post("/api/v1/auth/login", content=_incomplete(), headers=headers)
    assert problem(answer, 408, "request-timeout")["detail"] == "The request was not complete after 0.3 seconds."
    # Who does not send the rest in time does not get to send it later.
    assert answer.headers["connection"] == "close"


async def test_drops_do_not_buy_time(api: Api) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(SECONDS / 10)

    async with asyncio.timeout(10):
        problem(await api.client.post("/api/v1/auth/login", content=dripping()), 408, "request-timeout")


async def test_a_request_that_is_not_served_in_time_is_a_503(api: Api) -> None:
    ended = asyncio.Event()

    @api.app.post("/slow")
    async def slow(request: Request) -> None:
        await request.body()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    answer = await api.client.post("/slow", content=b"complete")
    assert problem(answer, 503, "took-too-long")["detail"] == "No answer could be had within 0.3 seconds: try again."
    assert answer.headers["retry-after"] == "1"
    assert ended.is_set()
    labels = {"method": "POST", "path": "/slow", "status": "503"}
    assert api.metric("janua_request_latency_milliseconds_count", **labels) == 1


async def test_waiting_for_the_client_to_go_is_no_wait_for_its_body(api: Api) -> None:
    @api.app.post("/watching")
    async def watching(request: Request) -> None:
        await request.body()
        await request.receive()

    problem(await api.client.post("/watching", content=b"complete"), 503, "took-too-long")


async def test_an_answer_that_has_begun_is_broken_off(api: Api) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.Event().wait()

    @api.app.get("/endless")
    async def endless() -> StreamingResponse:
        return StreamingResponse(parts())

    with pytest.raises(TimeoutError):  # which makes the server close the connection
        await api.client.get("/endless")
    labels = {"method": "GET", "path": "/endless", "status": "200"}
    assert api.metric("janua_request_latency_milliseconds_count", **labels) == 1


async def test_another_time_out_is_none_of_the_request_s(api: Api) -> None:
    @api.app.get("/impatient")
    async def impatient() -> None:
        raise TimeoutError

    problem(await api.client.get("/impatient"), 500, "internal-error")


async def test_requests_wait_side_by_side(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = settings.model_copy(update={"request_timeout_seconds": 60})
    async with running(patient) as api:

        @api.app.get("/slow")
        async def slow() -> None:
            await asyncio.Event().wait()

        @api.app.get("/quick")
        async def quick(number: int) -> int:
            await asyncio.sleep(0)
            return number

        slow_ones = [asyncio.create_task(api.client.get("/slow")) for _ in range(20)]
        answers = await asyncio.gather(*(api.client.get("/quick", params={"number": n}) for n in range(20)))
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, n) for n in range(20)]
        assert not any(task.done() for task in slow_ones)
        # The loop's clock is put forward, for a machine that stands still for a moment must not fail the quick ones.
        loop = asyncio.get_running_loop()
        clock = loop.time
        monkeypatch.setattr(loop, "time", lambda: clock() + 60)
        assert [answer.status_code for answer in await asyncio.gather(*slow_ones)] == [503] * 20
