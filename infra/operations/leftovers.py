"""What an update leaves behind that was killed: taken away before the next one, so that it goes on where that ended.

Pulumi keeps the lock of a process that cannot give it back, and has written down what it was about to make, not what
became of it: a container that was made all the same would keep its ports.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from pulumi import automation

from infra.containers import FILES_LABEL, FILES_SUFFIX, PART_LABEL, STACK_LABEL
from infra.operations.jobs import JOB
from infra.setup.stack import STATE

_LOCKS = STATE / ".pulumi" / "locks"
_CONTAINER = "docker:index/container:Container"
# A container that is older than this was not made by the update that was killed.
_LONGEST_UPDATE = timedelta(hours=1)


class UnderWayError(RuntimeError):
    """Another update of the stack is under way; the message says whose."""


def clear(stack: automation.Stack) -> Iterator[str]:
    """Take away what a killed update of a stack has left; yields what was found, a line each.

    Raises UnderWayError, and takes no container away, while somebody holds the stack's lock.
    """
    yield from _stale_locks(stack.name)
    for owner in _owners(stack.name).values():
        raise UnderWayError(
            f"process {owner['pid']} on {owner['hostname']} works on stack {stack.name}: wait for it, or give its lock "
            "back with `pulumi cancel` if it is gone"
        )
    deployment = stack.export_stack().deployment or {}
    begun = {_part(operation) for operation in deployment.get("pending_operations") or () if _is_container(operation)}
    if not begun:
        return
    kept = {resource.get("id") for resource in deployment.get("resources") or ()}
    since = datetime.fromisoformat(deployment["manifest"]["time"]) - _LONGEST_UPDATE
    for container in _containers(stack.name):
        part = container.labels.get(PART_LABEL) or f"{container.labels.get(FILES_LABEL)}{FILES_SUFFIX}"
        if part in begun and container.id not in kept and _made(container) > since:
            container.remove(force=True, v=True)
            yield f"removed {container.name}: an update that was killed had not finished it"


def clear_jobs(stack: str) -> Iterator[str]:
    """Take away jobs that nobody waits for any more, before the networks and volumes that they use."""
    for container in _containers(stack):
        if container.labels.get(PART_LABEL) == JOB:
            container.remove(force=True, v=True)
            yield f"removed {container.name}: a job that nobody waits for any more"


def _stale_locks(stack: str) -> Iterator[str]:
    """Remove the locks of processes of this machine that are gone."""
    for file, owner in _owners(stack).items():
        if owner["hostname"] == socket.gethostname() and not _is_alive(owner["pid"]):
            file.unlink()
            yield f"removed the lock of process {owner['pid']}, which has ended without giving it back"


def _owners(stack: str) -> dict[Path, dict[str, Any]]:
    """Return who holds locks of a stack, by their files; one that is given back at this moment is none."""
    found = {}
    for file in _LOCKS.rglob(f"{stack}/*.json") if _LOCKS.exists() else ():
        with suppress(FileNotFoundError):
            found[file] = json.loads(file.read_text())
    return found


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


def _is_container(operation: dict[str, Any]) -> bool:
    return bool(operation["resource"]["type"] == _CONTAINER)


def _part(operation: dict[str, Any]) -> str:
    return str(operation["resource"]["urn"]).rpartition("::")[2]


def _containers(stack: str) -> list[Container]:
    found: list[Container] = docker.from_env().containers.list(all=True, filters={"label": f"{STACK_LABEL}={stack}"})
    return found


def _made(container: Container) -> datetime:
    # The engine writes nanoseconds, of which Python takes six digits.
    return datetime.fromisoformat(f"{container.attrs['Created'][:26].rstrip('Z')}+00:00")
