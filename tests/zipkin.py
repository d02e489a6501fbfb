"""Zipkin in a container of its own, as a stack runs it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from infra.tiers.tracing import ENVIRONMENT, MEMORY_MB, PORT
from infra.waiting import until_it_answers
from tests.servers import container

ARRIVAL_SECONDS = 30


@dataclass(frozen=True)
class Zipkin:
    """A Zipkin at `url`."""

    url: str

    @property
    def settings(self) -> dict[str, Any]:
        """What makes a service send it a trace of every request."""
        return {"traces_url": f"{self.url}/api/v2/spans", "traces_ratio": 1, "traces_per_second": 1000}

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace, once it has arrived. AssertionError if it does not."""
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while (answer := httpx.get(f"{self.url}/api/v2/trace/{trace_id}", timeout=10)).status_code != 200:
            assert time.monotonic() < deadline, f"no trace {trace_id}: {answer.text}"
            time.sleep(0.1)
        spans: list[dict[str, Any]] = answer.json()
        return spans


@pytest.fixture(scope="session")
def zipkin() -> Iterator[Zipkin]:
    with container("zipkin", PORT, environment=ENVIRONMENT, mem_limit=f"{MEMORY_MB}m") as (_, port):
        server = Zipkin(f"http://127.0.0.1:{port}")
        until_it_answers(lambda: httpx.get(f"{server.url}/health").raise_for_status(), (httpx.HTTPError,), 300)
        yield server
