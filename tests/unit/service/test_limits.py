"""What a request may take: time until its body is complete, and until it is answered."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import Request
from starlette.responses import StreamingResponse

from service.settings import Settings
from tests.harness import Api, eventually, problem, put_clock_forward, running

SECONDS = 60


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    async with running(settings.model_copy(update={"request_timeout_seconds": SECONDS})) as started:
        yield started


async def test_a_body_that_does_not_end_is_a_408(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    awaited = asyncio.Event()

    async def incomplete() -> AsyncIterator[bytes]:
        yield b'{"email": '
        awaited.set()
        await asyncio.Event().wait()

    headers = {"Content-Type": "application/json"}
    login = asyncio.create_task(api.client.post("/api/v1/auth/login", content=incomplete(), headers=headers))
    await awaited.wait()
    put_clock_forward(monkeypatch, SECONDS)
    answer = await login
    assert problem(answer, 408, "request-timeout")["detail"] == "The request was not complete after 60 seconds."
    # Who does not send the rest in time does not get to send it later.
    assert answer.headers["connection"] == "close"


async def test_drops_do_not_buy_time(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    drops = 0

    async def dripping() -> AsyncIterator[bytes]:
        nonlocal drops
        while True:
            yield b" "
            drops += 1
            await asyncio.sleep(0.01)

    login = asyncio.create_task(api.client.post("/api/v1/auth/login", content=dripping()))
    await eventually(lambda: drops > 0)
    put_clock_forward(monkeypatch, SECONDS / 2)
    before = drops
    await eventually(lambda: drops > before)
    assert not login.done()
    put_clock_forward(monkeypatch, SECONDS / 2)
    async with asyncio.timeout(SECONDS / 2):
        problem(await login, 408, "request-timeout")


async def test_a_request_that_is_not_served_in_time_is_a_503(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    entered, ended = asyncio.Event(), asyncio.Event()

    @api.app.post("/slow")
    async def slow(request: Request) -> None:
        await request.body()
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    request = asyncio.create_task(api.client.post("/slow", content=b"complete"))
    await entered.wait()
    put_clock_forward(monkeypatch, SECONDS)
    answer = await request
    assert problem(answer, 503, "took-too-long")["detail"] == "No answer could be had within 60 seconds: try again."
    assert answer.headers["retry-after"] == "1"
    assert ended.is_set()
    labels = {"method": "POST", "path": "/slow", "status": "503"}
    assert api.metric("janua_request_latency_milliseconds_count", **labels) == 1


async def test_waiting_for_the_client_to_go_is_no_wait_for_its_body(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    watches = asyncio.Event()

    @api.app.post("/watching")
    async def watching(request: Request) -> None:
        await request.body()
        watches.set()
        await request.receive()

    request = asyncio.create_task(api.client.post("/watching", content=b"complete"))
    await watches.wait()
    put_clock_forward(monkeypatch, SECONDS)
    problem(await request, 503, "took-too-long")


async def test_an_answer_that_has_begun_is_broken_off(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    begun = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield b"first"
        begun.set()
        await asyncio.Event().wait()

    @api.app.get("/endless")
    async def endless() -> StreamingResponse:
        return StreamingResponse(parts())

    request = asyncio.create_task(api.client.get("/endless"))
    await begun.wait()
    put_clock_forward(monkeypatch, SECONDS)
    with pytest.raises(TimeoutError):  # which makes the server close the connection
        await request
    labels = {"method": "GET", "path": "/endless", "status": "200"}
    assert api.metric("janua_request_latency_milliseconds_count", **labels) == 1


async def test_another_time_out_is_none_of_the_request_s(api: Api) -> None:
    @api.app.get("/impatient")
    async def impatient() -> None:
        raise TimeoutError

    problem(await api.client.get("/impatient"), 500, "internal-error")


async def test_requests_wait_side_by_side(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
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
    put_clock_forward(monkeypatch, SECONDS)
    assert [answer.status_code for answer in await asyncio.gather(*slow_ones)] == [503] * 20
