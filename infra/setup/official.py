"""The official release of Pulumi's CLI from Pulumi's download site, checked against its published checksum."""

import hashlib
import os
import platform
import shutil
import tarfile
import tempfile
import urllib.request
from http.client import HTTPResponse
from pathlib import Path

from infra.setup.host import cache_folder
from infra.setup.steps import SetupError

SITE = "https://get.pulumi.com/releases/sdk"
CONNECT_SECONDS = 10


def reachable(version: str) -> bool:
    """Tell whether the site offers release `version` for this machine; JANUA_PULUMI_DOWNLOADS names another site."""
    try:
        with _open(archive_name(version), "HEAD"):
            return True
    except OSError:
        return False


def download(version: str, target: Path) -> bool:
    """Unpack release `version` into the folder `target`; False where the site does not offer it.

    An archive that does not match its published checksum raises SetupError, and nothing is unpacked.
    """
    if not reachable(version):
        return False
    with tempfile.TemporaryDirectory(dir=cache_folder()) as scratch:
        archive = Path(scratch) / archive_name(version)
        with _open(archive.name) as answer, archive.open("wb") as file:
            shutil.copyfileobj(answer, file)
        if hashlib.sha256(archive.read_bytes()).hexdigest() != _published(version).get(archive.name):
            raise SetupError(f"{archive.name} does not match its published checksum: try again, or build it")
        with tarfile.open(archive) as contents:
            contents.extractall(scratch, filter="data")
        unpacked = Path(scratch) / "pulumi"
        shutil.copytree(unpacked, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("pulumi"))
        # Last and at once, since it is what is looked for: an interrupted set-up leaves no half of it.
        shutil.copy2(unpacked / "pulumi", target / "pulumi.part")
        (target / "pulumi.part").replace(target / "pulumi")
    return True


def archive_name(version: str) -> str:
    """Return the name of the release archive for this machine."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"pulumi-v{version}-{platform.system().lower()}-{machine}.tar.gz"


def _published(version: str) -> dict[str, str]:
    """Return the published SHA-256 of each archive of the release."""
    with _open(f"pulumi-{version}-checksums.txt") as answer:
        lines = answer.read().decode().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines if line.strip())}


def _open(name: str, method: str = "GET") -> HTTPResponse:
    address = f"{os.environ.get('JANUA_PULUMI_DOWNLOADS', SITE)}/{name}"
    request = urllib.request.Request(address, method=method)  # noqa: S310 - a constant, or the user's own choice
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=CONNECT_SECONDS)  # noqa: S310 - likewise
    return answer
