"""The service as a process: `python -m service`."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

import httpx
import pytest

from service.settings import Settings
from tests.harness import PASSWORD, new_email, problem
from tests.servers import ROOT

SIGNUP = "/api/v1/auth/signup"


@asynccontextmanager
async def _started(
    settings: Settings, **others: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """A process that is ready, with further variables `JANUA_…`."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    variables = {"DATABASE_URL": settings.database_url, "PORT": str(port), "HASH_WORKERS": "1"}
    variables |= {"HASH_DEADLINE_SECONDS": "60", **others}
    environment = {"PATH": os.environ["PATH"], **{f"JANUA_{name}": value for name, value in variables.items()}}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service"), cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await _ready(process, client)
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ready(process: asyncio.subprocess.Process, client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            assert process.returncode is None
            with suppress(httpx.ConnectError):
                status = (await client.get("/readyz")).status_code
                if status == 200:
                    return
                assert status == 503  # while the machine stands still the database may seem to be away
            await asyncio.sleep(0.05)


async def _draining(client: httpx.AsyncClient) -> None:
    """Wait until the signal was noticed."""
    async with asyncio.timeout(30):
        while "draining" not in (answer := await client.get("/readyz")).text:
            pass
    assert problem(answer, 503, "not-ready")["waiting_for"] == ["draining"]


async def _closed(client: httpx.AsyncClient) -> None:
    """Wait until no connection is accepted any more."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.05)


async def _stopped(process: asyncio.subprocess.Process, seconds: float = 30) -> list[dict[str, object]]:
    """Wait for the end of the process, which was asked for: its log."""
    async with asyncio.timeout(seconds):
        output, _ = await process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


async def _signed_up(client: httpx.AsyncClient) -> httpx.Response:
    answer = await client.post(SIGNUP, json={"email": new_email(), "password": PASSWORD})
    assert answer.status_code == 201
    return answer


async def _half_sent(client: httpx.AsyncClient) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """A signup of which the server has one half, and the other half."""
    body = json.dumps({"email": new_email(), "password": PASSWORD}).encode()
    head = f"POST {SIGNUP} HTTP/1.1\r\nHost: janua\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
    writer.write(head.encode() + b"\r\n" + body[:10])
    await writer.drain()
    assert (await client.get("/livez")).status_code == 200  # what was sent before has arrived, too
    return reader, writer, body[10:]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_it_answers_what_it_took_on_before_it_stops(settings: Settings, stop: signal.Signals) -> None:
    async with _started(settings) as (process, client):
        bodies = [{"email": new_email(), "password": PASSWORD} for _ in range(12)]
        requests = [asyncio.create_task(client.post(SIGNUP, json=body)) for body in bodies]
        await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
        waiting = sum(not request.done() for request in requests)
        process.send_signal(stop)
        answers = await asyncio.gather(*requests)
        assert waiting > 0
        assert [answer.status_code for answer in answers] == [201] * len(bodies)
        lines = await _stopped(process)
    completed = [line for line in lines if line["event"] == "request_completed" and line["status"] == 201]
    assert {line["request_id"] for line in completed} == {answer.headers["x-request-id"] for answer in answers}
    assert {line["path"] for line in completed} == {SIGNUP}
    assert str(lines[-1]["event"]).startswith("Finished server process")


async def test_while_it_drains_it_serves_but_does_not_want_more(settings: Settings) -> None:
    drain_seconds = 10
    # The request that is half sent has to last longer than the draining.
    patience = {"REQUEST_TIMEOUT_SECONDS": "60", "SHUTDOWN_SECONDS": "60"}
    async with _started(settings, DRAIN_SECONDS=str(drain_seconds), **patience) as (process, client):
        reader, writer, rest = await _half_sent(client)
        assert "connection" not in (await client.get("/livez")).headers
        loop = asyncio.get_running_loop()
        began = loop.time()
        process.send_signal(signal.SIGTERM)
        await _draining(client)
        # From its next look at the clock on each answer ends its connection.
        async with asyncio.timeout(drain_seconds):
            while (await _signed_up(client)).headers.get("connection") != "close":  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
            assert (await _signed_up(client)).headers["connection"] == "close"
        await _closed(client)
        assert loop.time() - began > drain_seconds
        # It does not accept any more, but still waits for what it took on.
        writer.write(rest)
        assert (await reader.read()).startswith(b"HTTP/1.1 201 ")
        writer.close()
        events = [line["event"] for line in await _stopped(process)]
    assert events.count("draining") == 1


async def test_a_second_signal_skips_the_draining(settings: Settings) -> None:
    async with _started(settings, DRAIN_SECONDS="600") as (process, client):
        process.send_signal(signal.SIGTERM)
        await _draining(client)
        reader, writer, rest = await _half_sent(client)  # it still accepts
        process.send_signal(signal.SIGTERM)
        await _closed(client)
        writer.write(rest)
        assert (await reader.read()).startswith(b"HTTP/1.1 201 ")
        writer.close()
        await _stopped(process)


async def test_an_interrupt_while_it_stops_ends_it_at_once(settings: Settings) -> None:
    async with _started(settings) as (process, client):
        reader, writer, _ = await _half_sent(client)
        process.send_signal(signal.SIGINT)
        await _closed(client)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(10):
            assert not (await reader.read()).startswith((b"HTTP/1.1 201 ", b"HTTP/1.1 408 "))
        writer.close()
        await _stopped(process, seconds=10)


async def test_a_request_that_never_ends_does_not_keep_it_from_stopping(settings: Settings) -> None:
    async with _started(settings, REQUEST_TIMEOUT_SECONDS="5") as (process, client):
        reader, writer, _ = await _half_sent(client)
        process.send_signal(signal.SIGTERM)
        answer = await reader.read()  # up to the end of the connection
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"urn:janua:problem:request-timeout" in answer
        writer.close()
        await _stopped(process, seconds=10)


@pytest.mark.parametrize("content", [b"NONSENSE\r\n\r\n"])
async def test_what_is_no_http_does_not_hurt(settings: Settings, content: bytes) -> None:
    async with _started(settings) as (process, client):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(content)
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        assert (await client.get("/livez")).status_code == 200
        process.terminate()
        assert await _stopped(process)
