"""Programs that are built here from Go modules."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.setup.host import checked
from infra.setup.steps import SetupError

BUILD_SECONDS = 1800


# Without C a program runs in images that have another C library than this host, too.
STATIC = {"CGO_ENABLED": "0"}


def build(
    module: Path, package: str, target: Path, flags: str = "", environment: Mapping[str, str] | None = None
) -> None:
    """Build `package` of the module in the folder `module` as `target`, with `flags` for the linker.

    Raises SetupError where there is no Go, or the build fails.
    """
    if shutil.which("go") is None:
        raise SetupError(f"{target.name} has to be built here, and that needs Go: install Go 1.21 or newer")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part{os.getpid()}")
    command = ["go", "build", "-C", str(module), "-mod=readonly", "-trimpath", "-ldflags", f"-s -w {flags}".rstrip()]
    advice = "Is the Go module proxy reachable? `go env GOPROXY` shows how it is asked."
    checked([*command, "-o", str(part), package], advice, seconds=BUILD_SECONDS, environment=environment)
    # Renamed only when it is whole: an interrupted build leaves nothing that looks finished.
    part.replace(target)
