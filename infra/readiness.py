"""Waits until a container is well. The provider can wait, too, but does not tell what a container that crashes says."""

import asyncio

import docker as engine
import pulumi
import pulumi_docker as docker
from docker.models.containers import Container
from pulumi import Output, Resource

from infra.steps import LOG_TAIL_LINES, remove

_POLL_SECONDS = 0.5


def ready(name: str, container: docker.Container, seconds: float) -> Output[Resource]:
    """Return the container once it is healthy; what a later resource depends on to start only then.

    One that ends, or is not healthy in so many seconds, fails the update with the end of its log in the message, and
    is removed, so that the next update makes it anew.
    """

    async def wait(container_id: str) -> Resource:
        if not pulumi.runtime.is_dry_run():
            await _wait(name, container_id, seconds)
        return container

    return container.id.apply(wait)


async def _wait(name: str, container_id: str, seconds: float) -> None:
    container = await asyncio.to_thread(engine.from_env().containers.get, container_id)
    deadline = asyncio.get_running_loop().time() + seconds
    while not is_well(container):
        late = asyncio.get_running_loop().time() > deadline
        if late or has_ended(container):
            log = await asyncio.to_thread(container.logs, tail=LOG_TAIL_LINES)
            remove(container_id)
            what = f"was not healthy within {seconds:g} seconds" if late else "ended instead of serving"
            raise pulumi.RunError(f"'{name}' {what}; the end of its log:\n{log.decode(errors='replace')}")
        await asyncio.sleep(_POLL_SECONDS)
        await asyncio.to_thread(container.reload)


def is_well(container: Container) -> bool:
    """Tell whether the engine calls it healthy."""
    return bool(container.attrs["State"].get("Health", {}).get("Status") == "healthy")


def has_ended(container: Container) -> bool:
    """Tell whether its process has ended at least once, whether or not the engine has started it again."""
    return bool(container.attrs["RestartCount"] > 0 or container.attrs["State"]["Status"] in {"exited", "dead"})
