"""A replica that gets well is waited for; one that does not fails the update with what it said."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from infra import readiness


class FakeContainer:
    """A container whose state changes each time that somebody looks."""

    def __init__(self, *states: dict[str, Any], serves: bool = False) -> None:
        self.states = list(states)
        self.serves = serves

    @property
    def attrs(self) -> dict[str, Any]:
        return {"RestartCount": 0, **self.states[0]}

    def reload(self) -> None:
        if len(self.states) > 1:
            self.states.pop(0)

    def logs(self, tail: int) -> bytes:
        return f"the last {tail} lines".encode()


STARTING: dict[str, Any] = {"State": {"Status": "running", "Health": {"Status": "starting"}}}
HEALTHY: dict[str, Any] = {"State": {"Status": "running", "Health": {"Status": "healthy"}}}
CRASHED: dict[str, Any] = {"State": {"Status": "restarting", "Health": {"Status": "unhealthy"}}, "RestartCount": 1}
EXITED: dict[str, Any] = {"State": {"Status": "exited"}}


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(readiness, "remove", found.append)
    monkeypatch.setattr("infra.refusal.stop", lambda replicas: found.extend(f"stopped {each}" for each in replicas))
    monkeypatch.setattr(readiness, "_POLL_SECONDS", 0)
    return found


def wait(monkeypatch: pytest.MonkeyPatch, *containers: FakeContainer, seconds: float = 60) -> None:
    ids = {f"service-{number}": f"id-{number}" for number in range(1, len(containers) + 1)}
    found = dict(zip(ids.values(), containers, strict=True))
    client = SimpleNamespace(containers=SimpleNamespace(get=found.__getitem__))
    monkeypatch.setattr("infra.readiness.engine.from_env", lambda: client)
    monkeypatch.setattr(readiness, "serving", lambda _stack: lambda container: container.serves)
    asyncio.run(readiness._wait(ids, seconds))


def test_all_are_waited_for(monkeypatch: pytest.MonkeyPatch, removed: list[str]) -> None:
    containers = [FakeContainer(STARTING, HEALTHY), FakeContainer(STARTING, STARTING, HEALTHY)]
    wait(monkeypatch, *containers)
    assert [container.states for container in containers] == [[HEALTHY], [HEALTHY]]
    assert removed == []


@pytest.mark.parametrize("end", [CRASHED, EXITED])
def test_one_that_ends_is_removed_and_its_log_is_told(
    monkeypatch: pytest.MonkeyPatch, removed: list[str], end: dict[str, Any]
) -> None:
    with pytest.raises(pulumi.RunError, match=r"'service-1' ended instead of serving(.|\n)*the last 40 lines"):
        wait(monkeypatch, FakeContainer(STARTING, end))
    assert removed == ["id-1"]


def test_with_one_that_ends_those_are_removed_that_are_not_well_and_the_others_stopped(
    monkeypatch: pytest.MonkeyPatch, removed: list[str]
) -> None:
    with pytest.raises(pulumi.RunError, match="'service-2' ended"):
        wait(monkeypatch, FakeContainer(HEALTHY), FakeContainer(STARTING, CRASHED), FakeContainer(STARTING))
    assert removed == ["id-2", "id-3", "stopped id-1"]


def test_one_that_does_not_get_well_in_time_is_removed(monkeypatch: pytest.MonkeyPatch, removed: list[str]) -> None:
    with pytest.raises(pulumi.RunError, match="was not healthy within 0 seconds"):
        wait(monkeypatch, FakeContainer(STARTING), seconds=0)
    assert removed == ["id-1"]


def test_what_serves_is_never_removed(monkeypatch: pytest.MonkeyPatch, removed: list[str]) -> None:
    """Its database is away: it answers what it can, and is well again when that comes back."""
    with pytest.raises(pulumi.RunError, match="'service-1' was not healthy"):
        wait(monkeypatch, FakeContainer(STARTING, serves=True), FakeContainer(STARTING), seconds=0)
    assert removed == ["id-2"]


def test_one_that_serves_and_was_started_again_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, removed: list[str]
) -> None:
    wait(monkeypatch, FakeContainer(CRASHED, HEALTHY, serves=True))
    assert removed == []
