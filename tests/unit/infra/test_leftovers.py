"""What a killed update has left is taken away, and nothing else."""

import json
import os
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.operations import leftovers

STARTED = "2026-05-01T12:00:00.123456789Z"
URN = "urn:pulumi:staging::janua::janua:tiers:Edge$docker:index/container:Container::{name}"


class FakeContainer:
    """A container that notes that it was removed."""

    def __init__(self, number: str, labels: dict[str, str], created: str = STARTED) -> None:
        self.id, self.name, self.labels = number, f"janua-{number}", labels
        self.attrs = {"Created": created}
        self.is_removed = False

    def remove(self, **_: Any) -> None:
        self.is_removed = True


def part(number: str, name: str, created: str = STARTED) -> FakeContainer:
    return FakeContainer(number, {"com.janua.part": name}, created)


def operation(name: str, kind: str = "docker:index/container:Container") -> dict[str, Any]:
    return {"type": "creating", "resource": {"urn": URN.format(name=name), "type": kind}}


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(leftovers, "_LOCKS", tmp_path)
    folder = tmp_path / "organization" / "janua" / "staging"
    folder.mkdir(parents=True)
    return folder


def clear(
    monkeypatch: pytest.MonkeyPatch, pending: list[dict[str, Any]], containers: list[FakeContainer], kept: list[str]
) -> list[str]:
    """Clear a stack whose state says that, on a machine with these containers; what was said, and what was removed."""
    deployment = {
        "manifest": {"time": "2026-05-01T12:00:30.123456789Z"},
        "pending_operations": pending,
        "resources": [{"id": each} for each in kept],
    }
    stack: Any = SimpleNamespace(name="staging", export_stack=lambda: SimpleNamespace(deployment=deployment))
    monkeypatch.setattr(leftovers, "_containers", lambda _name: containers)
    return list(leftovers.clear(stack))


def test_nothing_is_done_where_nothing_was_killed(locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = part("1", "edge")
    assert clear(monkeypatch, [], [edge], kept=[]) == []
    assert not edge.is_removed


def test_a_container_that_was_not_finished_is_removed(locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, unfinished, other = part("1", "edge"), part("2", "edge"), part("3", "redis")
    files = FakeContainer("4", {"com.janua.files-of": "edge"})
    found = clear(monkeypatch, [operation("edge"), operation("edge-files")], [kept, unfinished, other, files], ["1"])
    assert [each.is_removed for each in (kept, unfinished, other, files)] == [False, True, False, True]
    assert [line.split(":")[0] for line in found] == ["removed janua-2", "removed janua-4"]


def test_one_that_is_older_than_the_update_is_somebody_else_s(locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = part("1", "edge", created="2026-05-01T10:00:00.5Z")
    assert clear(monkeypatch, [operation("edge")], [old], kept=[]) == []
    assert not old.is_removed


def test_what_is_no_container_is_pulumi_s_own_business(locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = part("1", "edge")
    assert clear(monkeypatch, [operation("edge", "docker:index/volume:Volume")], [edge], kept=[]) == []


def lock(folder: Path, process: int, host: str) -> Path:
    file = folder / f"{process}-{host}.json"
    file.write_text(json.dumps({"pid": process, "username": "somebody", "hostname": host}))
    return file


def test_the_lock_of_a_process_that_has_ended_is_given_back(locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    here = socket.gethostname()
    stale = lock(locks, ended.pid, here)
    (found,) = clear(monkeypatch, [], [], kept=[])
    assert str(ended.pid) in found
    assert not stale.exists()


@pytest.mark.parametrize(("process", "host"), [(os.getpid(), socket.gethostname()), (1, "elsewhere")])
def test_nothing_is_taken_from_an_update_that_is_under_way(
    locks: Path, monkeypatch: pytest.MonkeyPatch, process: int, host: str
) -> None:
    held, migrate = lock(locks, process, host), part("1", "migrate")
    with pytest.raises(leftovers.UnderWayError, match=f"process {process} on {host}"):
        clear(monkeypatch, [operation("migrate")], [migrate], kept=[])
    assert held.exists()
    assert not migrate.is_removed


def test_jobs_that_nobody_waits_for_are_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    job, other = part("1", "job"), part("2", "postgres")
    monkeypatch.setattr(leftovers, "_containers", lambda _name: [job, other])
    assert list(leftovers.clear_jobs("staging")) == ["removed janua-1: a job that nobody waits for any more"]
    assert (job.is_removed, other.is_removed) == (True, False)
