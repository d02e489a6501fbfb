"""The drill's receiver: a container beside Alertmanager, told to it for as long as the drill lasts."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from drills import mailbox, routing
from drills.drill import Notice
from drills.stack import DrillError, Stack
from infra import files
from infra.serving import REPLICA
from infra.waiting import until_it_answers

LABEL = "com.janua.drill"
CONFIGURATION = PurePosixPath("/etc/alertmanager/alertmanager.yml")
_TIMEOUT_SECONDS = 10
_START_SECONDS = 15


class Receiver:
    """What has come so far, from the container's log."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def notices(self) -> list[Notice]:
        """Return every notice in the order of arrival."""
        return parse(self._container.logs(stderr=False).decode())


def parse(log: str) -> list[Notice]:
    """Return the notices of a mailbox's log; a notification of several alerts is a notice of each."""
    found = []
    for line in log.splitlines():
        told = json.loads(line)
        found += [
            Notice(told["at"], told["route"], alert["status"], alert["labels"], alert["annotations"])
            for alert in told["alerts"]
        ]
    return found


@contextmanager
def receiving(stack: Stack) -> Iterator[Receiver]:
    """Start the receiver and tell Alertmanager of it; both are undone at the end."""
    try:
        container = _start(stack)
        _rewrite(stack, routing.with_drill(_read(stack), f"http://{container.name}:{mailbox.PORT}"))
        yield Receiver(container)
    finally:
        forget(stack)


def forget(stack: Stack) -> list[str]:
    """Take the receiver out of Alertmanager, then away; return what was found."""
    found = []
    present = _read(stack)
    if present != (text := routing.without_drill(present)):
        _rewrite(stack, text)
        found.append("alertmanager: receiver taken out")
    for container in docker.from_env().containers.list(all=True, filters={"label": f"{LABEL}={stack.name}"}):
        try:
            container.remove(force=True)
        except NotFound:
            continue  # it ended by itself meanwhile
        found.append(f"{container.name}: removed")
    return found


def _start(stack: Stack) -> Container:
    networks = stack.parts("alertmanager")[0].attrs["NetworkSettings"]["Networks"]
    container = docker.from_env().containers.run(
        stack.parts(REPLICA)[0].attrs["Image"],
        ["python", "-u", "-c", Path(mailbox.__file__).read_text()],
        name=f"janua-{stack.name}-drill-receiver",
        labels={LABEL: stack.name},
        network=next(iter(networks)),
        detach=True,
        read_only=True,
        cap_drop=["ALL"],
        mem_limit="64m",
    )
    until_it_answers(lambda: _require_open(container), (DrillError,), _START_SECONDS)
    return container


def _require_open(container: Container) -> None:
    """Raises DrillError while the receiver takes nothing."""
    probe = f"import socket; socket.create_connection(('127.0.0.1', {mailbox.PORT}), 1)"
    if container.exec_run(["python", "-c", probe]).exit_code != 0:
        raise DrillError(f"the receiver does not start: {container.logs().decode()}")


def _read(stack: Stack) -> str:
    return files.read(stack.parts("alertmanager")[0], CONFIGURATION)


def _rewrite(stack: Stack, text: str) -> None:
    """Put the configuration where the container can only read it, and have it read. Raises OSError."""
    files.write(stack.carrier("alertmanager"), CONFIGURATION, text)
    until_it_answers(lambda: _reload(stack), (urllib.error.URLError, OSError), _TIMEOUT_SECONDS)


def _reload(stack: Stack) -> None:
    request = urllib.request.Request(f"{stack.alertmanager_url}/-/reload", method="POST")  # noqa: S310 - our own stack
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310
        pass
