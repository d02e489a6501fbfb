"""What a figure was measured on: without it, it says little."""

from collections.abc import Mapping

import docker

from bench.machine import describe
from infra.containers import PART_LABEL
from infra.operations import stacks


def about(stack: str, release: str) -> dict[str, str]:
    """Return the stack, its release, the version of each part and the machine, by name."""
    return {
        "stack": stack,
        "release": release,
        "parts": _versions(stack),
        **machine(describe(docker.from_env(), release)),
    }


def machine(described: Mapping[str, object]) -> dict[str, str]:
    """Return the machine and the checkout as a report shows them."""
    return {
        "machine": f"{described['processors']} x {described['processor']}, {described['memory_gb']} GB",
        "kernel": str(described["kernel"]),
        "Docker Engine": str(described["docker"]),
        "commit": str(described["commit"]),
        "load average before": f"{described['load_average_before']:.2f}",
    }


def _versions(stack: str) -> str:
    """Return each part that serves, with the tag of its image."""
    tags = {}
    for container in stacks.containers(stack):
        if container.status == "running" and container.image and container.image.tags:
            tags[container.labels[PART_LABEL]] = container.image.tags[0].rpartition(":")[2]
    return ", ".join(f"{part} {tag}" for part, tag in sorted(tags.items()))
