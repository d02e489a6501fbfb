"""A refused release is stopped, but never what serves."""

from types import SimpleNamespace

import pytest
from docker.errors import NotFound

from infra import files, refusal
from infra.containers import STOP_SECONDS
from infra.jobs import promote


class FakeContainer:
    def __init__(self, name: str) -> None:
        self.name = name
        self.stopped_within: list[int] = []

    def stop(self, timeout: int) -> None:
        self.stopped_within.append(timeout)


class FakeEdge:
    """An edge whose backend leads to such servers; without any, nothing was ever promoted."""

    def __init__(self, *servers: str) -> None:
        self.servers = servers

    def get_archive(self, path: str) -> tuple[list[bytes], dict[str, object]]:
        assert path == str(promote.BACKEND)
        if not self.servers:
            raise NotFound(path)
        return [files.packed(promote.BACKEND.name, promote.backend(list(self.servers)))], {}


@pytest.fixture
def replicas() -> dict[str, FakeContainer]:
    return {"id-1": FakeContainer("service-1-new"), "id-2": FakeContainer("service-2-new")}


def stop(monkeypatch: pytest.MonkeyPatch, replicas: dict[str, FakeContainer], *edges: FakeEdge) -> list[str]:
    """Return which were stopped, of those and of one that is gone."""

    def get(container_id: str) -> FakeContainer:
        if container_id not in replicas:
            raise NotFound(container_id)
        return replicas[container_id]

    client = SimpleNamespace(containers=SimpleNamespace(get=get, list=lambda **_: list(edges)))
    monkeypatch.setattr("docker.from_env", lambda: client)
    refusal.stop(["gone", *replicas])
    return [replica.name for replica in replicas.values() if replica.stopped_within == [STOP_SECONDS]]


@pytest.mark.parametrize(
    "edges",
    [[], [FakeEdge()], [FakeEdge("service-1-old:8000", "service-2-old:8000")]],
    ids=["no edge", "nothing promoted", "another release serves"],
)
def test_the_replicas_of_a_release_that_does_not_serve_are_stopped(
    monkeypatch: pytest.MonkeyPatch, replicas: dict[str, FakeContainer], edges: list[FakeEdge]
) -> None:
    assert stop(monkeypatch, replicas, *edges) == ["service-1-new", "service-2-new"]


def test_a_release_that_serves_already_serves_on(
    monkeypatch: pytest.MonkeyPatch, replicas: dict[str, FakeContainer]
) -> None:
    assert stop(monkeypatch, replicas, FakeEdge("service-1-new:8000", "service-2-new:8000")) == []
