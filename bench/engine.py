"""Containers of one run: labelled, on the host's network, and gone at the end however it ends."""

import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import LogConfig

from bench.cost import counter_file, cpu_seconds

LABEL = "janua-bench"
ADDRESS = "127.0.0.1"
# As in a stack: the service writes a line for each request.
_LOGS = LogConfig(type="json-file", config={"max-size": "20m", "max-file": "3"})


@dataclass(frozen=True)
class Part:
    """What a container is made of: files and folders in `mounts` can only be read in it."""

    image: str
    command: Sequence[str] = ()
    environment: Mapping[str, str] | None = None
    mounts: Mapping[Path, str] | None = None
    memory_mb: int = 384
    user: str | None = None
    writable: Mapping[Path, str] | None = None


@dataclass(frozen=True)
class Running:
    """A container that serves on a port of `host`."""

    container: Container
    port: int
    counter: Path
    host: str = ADDRESS

    def cpu_seconds(self) -> float:
        """CPU time since it was started."""
        return cpu_seconds(self.counter)

    def log(self) -> str:
        """The end of what it has written."""
        text: bytes = self.container.logs(tail=30)
        return text.decode(errors="replace")


class Engine:
    """The Docker Engine, as far as this run uses it; `run` is the run's name, and part of its containers' names."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client
        self.run = secrets.token_hex(4)
        self._started: list[Container] = []

    def start(self, name: str, part: Part, port: int) -> Running:
        """Start a container that goes on running."""
        container = self.client.containers.run(part.image, detach=True, **self._options(name, part))
        self._started.append(container)
        container.reload()
        return Running(container, port, counter_file(container.attrs["State"]["Pid"]))

    def call(self, name: str, part: Part) -> str:
        """Run a container to its end; what it wrote to its standard output. ContainerError if it failed."""
        output: bytes = self.client.containers.run(part.image, remove=True, **self._options(name, part))
        return output.decode()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What is started within is removed at the end."""
        count = len(self._started)
        yield
        for container in self._started[count:]:
            container.remove(force=True, v=True)
        del self._started[count:]

    def clear(self) -> None:
        """Remove every container of this run."""
        for container in self.client.containers.list(all=True, filters={"label": f"{LABEL}={self.run}"}):
            try:
                container.remove(force=True, v=True)
            except NotFound:
                continue

    def _options(self, name: str, part: Part) -> dict[str, Any]:
        return {
            "command": list(part.command),
            "name": f"{LABEL}-{name}-{self.run}",
            "labels": {LABEL: self.run},
            "network_mode": "host",
            "environment": dict(part.environment or {}),
            "volumes": _bound(part.mounts, "ro") | _bound(part.writable, "rw"),
            "mem_limit": f"{part.memory_mb}m",
            "memswap_limit": f"{part.memory_mb}m",
            "user": part.user,
            "log_config": _LOGS,
        }


def _bound(mounts: Mapping[Path, str] | None, mode: str) -> dict[str, dict[str, str]]:
    return {str(path): {"bind": target, "mode": mode} for path, target in (mounts or {}).items()}


@contextmanager
def engine() -> Iterator[Engine]:
    """The engine; at the end nothing of this run is left on it."""
    with closing(docker.from_env()) as client:
        made = Engine(client)
        try:
            yield made
        finally:
            made.clear()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with closing(socket.create_server((ADDRESS, 0))) as server:
        port: int = server.getsockname()[1]
        return port
