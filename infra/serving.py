"""Which replicas serve: those that the edge leads to. Others are of a release that was refused or is not judged yet."""

from collections.abc import Callable

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from infra import files
from infra.containers import PART_LABEL, STACK_LABEL
from infra.jobs.promote import BACKEND

REPLICA = "service-"
"""What the name of each replica's part begins with."""


def serving(stack: str) -> Callable[[Container], bool]:
    """Return what tells whether the edge of a stack leads to a replica now: to none before the first promotion."""
    labels = [f"{STACK_LABEL}={stack}", f"{PART_LABEL}=edge"]
    edges = docker.from_env().containers.list(all=True, filters={"label": labels})
    backends = [_backend(edge) for edge in edges]
    return lambda replica: any(f" {replica.name}:" in backend for backend in backends)


def _backend(edge: Container) -> str:
    """Return the backend that an edge has, or starts with; empty if nothing was ever promoted."""
    try:
        return files.read(edge, BACKEND)
    except NotFound:
        return ""
