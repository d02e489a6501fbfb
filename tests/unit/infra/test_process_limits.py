"""The limit of a container's processes is set whatever state it is in; an engine that refuses it is an error."""

import asyncio
from types import SimpleNamespace

import pytest
import requests

from infra.hardening import processes


class FakeApi:
    """An engine that answers with such statuses, the last one for ever."""

    base_url, api_version = "http://engine", "1.41"

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.asked: list[tuple[str, object]] = []

    def post(self, address: str, json: object) -> requests.Response:
        self.asked.append((address, json))
        answer = requests.Response()
        answer.status_code = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return answer


def limit(monkeypatch: pytest.MonkeyPatch, *statuses: int) -> FakeApi:
    api = FakeApi(*statuses)
    monkeypatch.setattr("infra.hardening.processes.engine.from_env", lambda: SimpleNamespace(api=api))
    monkeypatch.setattr(processes, "_PAUSE_SECONDS", 0)
    asyncio.run(processes._limit("an-id"))
    return api


def test_it_is_set_once(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ("http://engine/v1.41/containers/an-id/update", {"PidsLimit": processes.PROCESSES})
    assert limit(monkeypatch, 200).asked == [expected]


def test_it_is_set_when_the_engine_has_noticed_that_the_container_crashed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(limit(monkeypatch, 500, 500, 200).asked) == 3


def test_one_that_is_gone_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(limit(monkeypatch, 500, 404).asked) == 2


def test_an_engine_that_goes_on_failing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(requests.HTTPError, match="500"):
        limit(monkeypatch, 500)
