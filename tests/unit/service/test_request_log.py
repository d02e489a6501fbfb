"""The line that each request leaves: what stands in it, when it is written, and what comes of a broken output."""

import asyncio
import io
import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clock import SystemClock
from service.observability import request_log
from service.observability.answered import AnsweredRequests
from service.observability.context import RequestContext
from service.observability.logging import JsonFormatter, timestamp
from service.observability.request_log import LOGGER
from tests.logs import written

PATH = "/api/v1/auth/validate"
CLOCK = SystemClock()


class Output(io.RawIOBase):
    """What is below a standard output: it notes each write(2)."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.writes.append(bytes(content))
        return len(content)

    def take_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be standard output from now on; pytest puts its own in place before each phase of a test."""
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(self)))


def closed() -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    return stream


def without_a_reader() -> io.TextIOWrapper:
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


def tell(answered: AnsweredRequests, **members: Any) -> None:
    answered.add((RequestContext("an-id", "a" * 32, CLOCK.monotonic(), **members), "GET", PATH, 200, 0.12345))


@pytest.fixture
def output(caplog: pytest.LogCaptureFixture) -> Output:
    caplog.set_level(logging.INFO)
    return Output()


async def test_it_looks_like_a_record_of_the_logging_module(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    output.take_over(monkeypatch)
    user_id = uuid4()
    tell(
        AnsweredRequests(CLOCK),
        db_queries=1,
        db_round_trips=2,
        cache_hits=3,
        cache_misses=4,
        tenant="acme",
        user_id=user_id,
    )
    await written()
    [line] = map(json.loads, output.writes)
    time = datetime.fromisoformat(line["time"])
    assert abs(datetime.now(UTC) - time) < timedelta(minutes=1)
    assert line == {
        "time": time.isoformat(timespec="milliseconds"),
        "level": "INFO",
        "logger": LOGGER,
        "event": "request_completed",
        "request_id": "an-id",
        "trace_id": "a" * 32,
        "method": "GET",
        "path": PATH,
        "status": 200,
        "duration_ms": 0.123,
        "db_queries": 1,
        "db_round_trips": 2,
        "cache_hits": 3,
        "cache_misses": 4,
        "tenant": "acme",
        "user_id": str(user_id),
    }
    record = logging.LogRecord(LOGGER, logging.INFO, __file__, 1, "request_completed", None, None)
    assert [*line][:4] == [*json.loads(JsonFormatter().format(record))]


def test_a_line_has_the_time_of_the_answer() -> None:
    line = request_log._line((RequestContext("an-id", "a" * 32, 10), "GET", PATH, 200, 1500), 100)
    assert json.loads(line)["time"] == "1970-01-01T00:01:51.500+00:00"


async def test_the_lines_of_a_moment_are_written_together(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    output.take_over(monkeypatch)
    answered = AnsweredRequests(CLOCK)
    tell(answered, tenant="one")
    tell(answered, tenant="other")
    assert output.writes == []
    await written()
    tell(answered, tenant="later")
    await written()
    assert [[json.loads(line)["tenant"] for line in write.splitlines()] for write in output.writes] == [
        ["one", "other"],
        ["later"],
    ]
    assert all(write.endswith(b"\n") for write in output.writes)


async def test_before_the_end_what_waits_is_written(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    output.take_over(monkeypatch)
    answered = AnsweredRequests(CLOCK)
    tell(answered)
    answered.flush()
    answered.flush()
    await written()
    assert len(output.writes) == 1


@pytest.mark.parametrize("broken", [closed, without_a_reader, lambda: None])
async def test_a_broken_output_disturbs_nobody(
    output: Output, monkeypatch: pytest.MonkeyPatch, broken: Callable[[], io.TextIOWrapper | None]
) -> None:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
    answered = AnsweredRequests(CLOCK)
    monkeypatch.setattr(sys, "stdout", stream := broken())
    for _ in range(50):
        tell(answered, tenant="x" * 1000)
        await written()
    output.take_over(monkeypatch)
    tell(answered, tenant="repaired")
    await written()
    assert failures == []
    assert json.loads(output.writes[-1])["tenant"] == "repaired"
    if stream and not stream.closed:
        with pytest.raises(BrokenPipeError):
            stream.close()


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 1), ("INFO", 1), ("WARNING", 0), ("ERROR", 0)])
async def test_it_obeys_the_level(
    output: Output, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, level: str, lines: int
) -> None:
    output.take_over(monkeypatch)
    caplog.set_level(level)
    tell(AnsweredRequests(CLOCK))
    await written()
    assert len(output.writes) == lines


@given(st.text(), st.text(), st.none() | st.text())
def test_texts_from_elsewhere_are_escaped(method: str, path: str, tenant: str | None) -> None:
    line = request_log._line((RequestContext("an-id", "a" * 32, tenant=tenant), method, path, 200, 1e-9), 0.0)
    assert line.endswith("\n")
    assert "\n" not in line[:-1]
    told = json.loads(line)
    assert (told["method"], told["path"], told["tenant"], told["user_id"]) == (method, path, tenant, None)


def test_a_time_has_milliseconds_and_a_zone() -> None:
    assert timestamp(1767225600.25) == "2026-01-01T00:00:00.250+00:00"
    assert timestamp(1767225601) == "2026-01-01T00:00:01.000+00:00"
    assert timestamp(1767225600.5) == "2026-01-01T00:00:00.500+00:00"


@given(st.floats(min_value=0, max_value=4e9))
def test_a_time_is_exact_to_the_millisecond(seconds: float) -> None:
    told = datetime.fromisoformat(timestamp(seconds))
    assert abs(told - datetime.fromtimestamp(seconds, UTC)) <= timedelta(milliseconds=1)
