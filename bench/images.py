"""The images that are measured: the release of this checkout, and those that the set-up chose for its servers."""

from pathlib import Path

import docker

from infra.images.build import LABEL, build_runtime, exists
from infra.images.resources import RELEASE_PARTS
from infra.images.table import FOLDER, ROOT, content_hash, reference, table
from infra.setup.host import VENV, cache_folder, checked
from infra.setup.images import choice

LOCK = ROOT / "requirements" / "bench.txt"


def server_image(name: str) -> str:
    """The reference of an image of the table, from the source that the set-up chose."""
    chosen = choice()
    return reference(name, chosen.source, chosen.mirror)


def release_image(client: docker.DockerClient) -> str:
    """Build the release image of the checkout, with the tag that a deployment gives it, unless it is there."""
    chosen = choice()
    runtime = build_runtime(chosen.source, chosen.mirror)
    tag = f"janua/service:{content_hash(runtime, *(ROOT / part for part in RELEASE_PARTS), FOLDER / 'service')}"
    if not exists(tag):
        client.images.build(
            path=str(ROOT),
            dockerfile="infra/images/service/Dockerfile",
            buildargs={"RUNTIME": runtime},
            labels={LABEL: "service"},
            tag=tag,
            forcerm=True,
        )
    return tag


def packages() -> Path:
    """A folder with what requirements/bench.txt pins, for the Python of the release image."""
    python = ".".join(table()["python"].registry.partition(":")[2].split(".")[:2])
    folder = cache_folder() / f"bench-{content_hash(LOCK, python)}"
    if not folder.exists():
        scratch = folder.with_suffix(".new")
        target = ["--target", str(scratch), "--python-version", python, "--only-binary", ":all:"]
        checked(
            [str(VENV / "bin/uv"), "pip", "install", "--quiet", "--require-hashes", *target, "-r", str(LOCK)],
            "Is the Python package registry reachable? `pip config list` shows how it is asked.",
        )
        scratch.rename(folder)
    return folder
