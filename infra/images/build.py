"""Builds the images that no registry gave: the Debian base, its stand-ins, and the runtime."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from infra.images.table import (
    CA_BUNDLE,
    FOLDER,
    ROOT,
    SUITE,
    Source,
    base_reference,
    local_reference,
    reference,
    runtime_reference,
    table,
)

# Every image that is built here carries it, so that `make clean` finds them all.
LABEL = "com.janua.image"


class BuildError(RuntimeError):
    """An image could not be built; the message holds the end of the builder's log."""


def exists(image: str) -> bool:
    """Tell whether the engine has `image`."""
    return _docker("image", "inspect", image).returncode == 0


def build_base() -> str:
    """Make the Debian base with mmdebstrap unless it is there; return its reference.

    Needs root (or user namespaces) and mmdebstrap, which the set-up installs. The host's certificate bundle is
    put in: on networks that re-sign TLS the containers trust what the host trusts.
    """
    image = base_reference()
    if exists(image):
        return image
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "base.tar"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates"]
        command += [f"--customize-hook=copy-in {FOLDER}/base/install-pinned /usr/local/bin"]
        if CA_BUNDLE.exists():
            command += [f"--customize-hook=copy-in {CA_BUNDLE} {CA_BUNDLE.parent}"]
        _checked(subprocess.run([*command, SUITE, str(archive)], capture_output=True, text=True, check=False))
        _checked(_docker("import", "--change", f"LABEL {LABEL}=base", str(archive), image))
    return image


def build_stand_in(name: str, beside: Sequence[Path] = ()) -> str:
    """Build the stand-in for image `name` from Debian packages, and files `beside` them; return its reference."""
    image = local_reference(name)
    packages = " ".join(table()[name].debian_packages())
    _build(FOLDER / name, image, {"BASE": base_reference(), "PACKAGES": packages}, beside)
    return image


def build_runtime(source: Source, mirror: str = "") -> str:
    """Build the runtime image on Python from `source` unless it is there; return its reference."""
    image = runtime_reference(source, mirror)
    if not exists(image):
        arguments = {"BASE": reference("python", source, mirror)}
        if index := os.environ.get("PIP_INDEX_URL"):
            arguments["PIP_INDEX_URL"] = index
        _build(FOLDER / "runtime", image, arguments, [CA_BUNDLE, ROOT / "requirements" / "service.txt"])
    return image


def _build(folder: Path, image: str, arguments: dict[str, str], extra: Sequence[Path]) -> None:
    """Build `folder` as `image`; the files `extra` join its context."""
    with tempfile.TemporaryDirectory() as scratch:
        context = Path(scratch) / "context"
        shutil.copytree(folder, context)
        for file in extra:
            shutil.copy(file, context / file.name)
        options = [f"--build-arg={key}={value}" for key, value in arguments.items()]
        _checked(
            _docker("build", "--force-rm", "--tag", image, "--label", f"{LABEL}={folder.name}", *options, str(context))
        )


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    # The classic builder: buildx is not everywhere, and nothing here needs it.
    environment = os.environ | {"DOCKER_BUILDKIT": "0"}
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, env=environment, check=False)


def _checked(result: subprocess.CompletedProcess[str]) -> None:
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).splitlines()[-25:])
        raise BuildError(f"{' '.join(result.args[:2])} failed:\n{tail}")
