"""The images' own tools (promtool, amtool, haproxy, …) for tests, in throw-away containers without a network."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.images.table import reference
from infra.setup.images import choice

SECONDS = 120


def image_reference(name: str) -> str:
    """Return the reference of image `name` of the table, from the source that the set-up chose."""
    chosen = choice()
    return reference(name, chosen.source, chosen.mirror)


def run_in_image(image: str, command: Sequence[str], mounts: Mapping[Path, str]) -> subprocess.CompletedProcess[str]:
    """Run `command` in image `image` of the table with `mounts` (host path to container path, read-only)."""
    volumes = [f"--volume={source.resolve()}:{target}:ro" for source, target in mounts.items()]
    options = ["--rm", "--network=none", "--label=com.janua.test=1", f"--entrypoint={command[0]}", *volumes]
    return subprocess.run(
        ["docker", "run", *options, image_reference(image), *command[1:]],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
