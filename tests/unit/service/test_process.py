"""The service as a process: `python -m service`."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import httpx
import pytest

from service.settings import Settings
from tests.harness import PASSWORD, new_email
from tests.unit.service.conftest import ROOT


@asynccontextmanager
async def _started(settings: Settings) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "JANUA_DATABASE_URL": settings.database_url,
        "JANUA_PORT": str(port),
        "JANUA_HASH_WORKERS": "1",
        "JANUA_HASH_DEADLINE_SECONDS": "60",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service"), cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_answers_what_it_took_on_before_it_stops(settings: Settings) -> None:
    async with _started(settings) as (process, client):
        output = asyncio.create_task(_read(process))
        await _ready(client)
        bodies = [{"email": new_email(), "password": PASSWORD} for _ in range(12)]
        requests = [asyncio.create_task(client.post("/api/v1/auth/signup", json=body)) for body in bodies]
        await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
        waiting = sum(not request.done() for request in requests)
        process.send_signal(signal.SIGTERM)
        answers = await asyncio.gather(*requests)
        assert waiting > 0
        assert [answer.status_code for answer in answers] == [201] * len(bodies)
        await process.wait()
        lines = [json.loads(line) for line in await output]
    completed = [line for line in lines if line["event"] == "request_completed" and line["status"] == 201]
    assert {line["request_id"] for line in completed} == {answer.headers["x-request-id"] for answer in answers}
    assert {line["path"] for line in completed} == {"/api/v1/auth/signup"}
    assert lines[-1]["event"].startswith("Finished server process")


@pytest.mark.parametrize("content", [b"NONSENSE\r\n\r\n"])
async def test_what_is_no_http_does_not_hurt(settings: Settings, content: bytes) -> None:
    async with _started(settings) as (process, client):
        output = asyncio.create_task(_read(process))
        await _ready(client)
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(content)
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        assert (await client.get("/livez")).status_code == 200
        process.terminate()
        await process.wait()
        assert all(json.loads(line) for line in await output)


async def _read(process: asyncio.subprocess.Process) -> list[bytes]:
    assert process.stdout is not None
    return (await process.stdout.read()).splitlines()


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                assert (await client.get("/readyz")).status_code == 200
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
            else:
                return
