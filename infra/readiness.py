"""Waits until containers are well. The provider can wait, too, but does not tell what a container that crashes says."""

import asyncio
from collections.abc import Mapping

import docker as engine
import pulumi
import pulumi_docker as docker
from docker.models.containers import Container
from pulumi import Output, Resource

from infra import refusal
from infra.serving import serving
from infra.steps import LOG_TAIL_LINES, remove

_POLL_SECONDS = 0.5


def ready(replicas: Mapping[str, docker.Container], seconds: float) -> list[Output[Resource]]:
    """Return the containers once all are healthy; what a later resource depends on to start only then.

    One that ends, or is not healthy in so many seconds, fails the update with the end of its log in the message. It is
    removed then, with all that were not well either: the next update makes them anew, and none crashes on meanwhile.
    Those that were well are stopped. What serves is left alone, well or not: most often it waits for a dependency.
    """

    async def wait(ids: list[str]) -> None:
        if not pulumi.runtime.is_dry_run():
            await _wait(dict(zip(replicas, ids, strict=True)), seconds)

    all_are_well: Output[None] = Output.all(*(replica.id for replica in replicas.values())).apply(wait)
    return [Output.all(replica, all_are_well).apply(lambda found: found[0]) for replica in replicas.values()]


async def _wait(ids: Mapping[str, str], seconds: float) -> None:
    get = engine.from_env().containers.get
    serves = await asyncio.to_thread(serving, pulumi.get_stack())
    waiting = {name: await asyncio.to_thread(get, container_id) for name, container_id in ids.items()}
    deadline = asyncio.get_running_loop().time() + seconds
    while waiting := {name: container for name, container in waiting.items() if not is_well(container)}:
        late = asyncio.get_running_loop().time() > deadline
        # One that serves may have been started again long ago.
        ended = {name for name, container in waiting.items() if has_ended(container) and not serves(container)}
        if failed := next((name for name in waiting if late or name in ended), None):
            log = await asyncio.to_thread(waiting[failed].logs, tail=LOG_TAIL_LINES)
            for name, container in waiting.items():
                if not serves(container):
                    remove(ids[name])
            refusal.stop([container_id for name, container_id in ids.items() if name not in waiting])
            what = f"was not healthy within {seconds:g} seconds" if late else "ended instead of serving"
            raise pulumi.RunError(f"'{failed}' {what}; the end of its log:\n{log.decode(errors='replace')}")
        await asyncio.sleep(_POLL_SECONDS)
        for container in waiting.values():
            await asyncio.to_thread(container.reload)


def is_well(container: Container) -> bool:
    """Tell whether the engine calls it healthy."""
    return bool(container.attrs["State"].get("Health", {}).get("Status") == "healthy")


def has_ended(container: Container) -> bool:
    """Tell whether its process has ended at least once, whether or not the engine has started it again."""
    return bool(container.attrs["RestartCount"] > 0 or container.attrs["State"]["Status"] in {"exited", "dead"})
