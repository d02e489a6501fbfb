"""What the figures were measured on: without it they say little."""

import os
import platform
import subprocess
from pathlib import Path

import docker

from infra.images.table import ROOT


def describe(client: docker.DockerClient, release: str) -> dict[str, object]:
    """The machine, the versions, and the commit of the checkout, which says so if it was changed since."""
    return {
        "processors": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "docker": str(client.version()["Version"]),
        "python_of_generator": platform.python_version(),
        "release_image": release,
        "commit": _git("describe", "--always", "--dirty", "--abbrev=12"),
        "load_average_before": os.getloadavg()[0],
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def _git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"
