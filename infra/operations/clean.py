"""`make clean`, after `make down`: built images, caches, generated secrets and the engine that was started here.

Standard library only: the Python environment is one of the things that go. Backups stay.
"""

import json
import shutil
import subprocess
import sys
from typing import Any

from infra.images.build import LABEL
from infra.setup import engine
from infra.setup.host import LOCAL, ROOT, VENV, cache_folder

CACHES = (".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis")


def main() -> int:
    """Remove all that the set-up made; return 1, with nothing removed, while a stack still has anything."""
    if left := _deployed():
        commands = ", ".join(f"`make down STACK={stack}`" for stack in left)
        print(f"there is more than this checkout can forget: run {commands} first", file=sys.stderr)
        return 1
    running = _ours("ps", "--all", "--quiet", "--filter", "label=com.janua.stack")
    if running:
        print(f"{len(running)} containers of a stack are there: run `make down` first", file=sys.stderr)
        return 1
    print(f"removed {_remove_images()} images")
    print(engine.stop())
    folders = [LOCAL, VENV, cache_folder(), *(ROOT / name for name in CACHES)]
    files = sorted(ROOT.glob("Pulumi.*.yaml"))
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for file in files:
        # Its secrets were encrypted with a passphrase that is gone now.
        file.unlink()
    print("removed", *(str(path) for path in [*folders, *files]))
    return 0


def _deployed() -> list[str]:
    """Return the stacks whose state names resources: with it, their passwords and their data's would be lost.

    It is not the engine that is asked: one that does not answer knows of nothing.
    """
    states = {file.stem: json.loads(file.read_text()) for file in (LOCAL / "state").glob(".pulumi/stacks/*/*.json")}
    return sorted(name for name, state in states.items() if _resources(state))


def _resources(state: dict[str, Any]) -> list[object]:
    return list((state["checkpoint"].get("latest") or {}).get("resources") or [])


def _remove_images() -> int:
    """Remove every image that was built here; return how many there were.

    One that others are built on can go only after them, so that it takes several rounds.
    """
    first = images = _built_images()
    while images:
        _ours("rmi", "--force", *images)
        left = _built_images()
        if left == images:
            print(f"in use by something else, and kept: {', '.join(sorted(left))}", file=sys.stderr)
            return len(first) - len(left)
        images = left
    return len(first)


def _built_images() -> set[str]:
    return set(_ours("images", "--quiet", "--filter", f"label={LABEL}"))


def _ours(*arguments: str) -> list[str]:
    if shutil.which("docker") is None:
        return []
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False).stdout.split()


if __name__ == "__main__":
    sys.exit(main())
