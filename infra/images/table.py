"""The one image table: for every container the exact version, from a registry or built from Debian packages.

`images.json` beside this module holds the facts; a digest gets there through `make pin` only.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
TABLE = FOLDER / "images.json"
SUITE = "trixie"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
Source = Literal["registry", "debian"]


@dataclass(frozen=True)
class Jar:
    """A Java program on Maven Central: `group:name:version:type:classifier`, and its checksum."""

    artifact: str
    sha256: str

    @property
    def file_name(self) -> str:
        """What Maven calls the file."""
        _, name, version, kind, classifier = self.artifact.split(":")
        return f"{name}-{version}-{classifier}.{kind}"


@dataclass(frozen=True)
class Image:
    """One row of the table.

    `registry` is `repository:tag`, with a host where it is not Docker's own, `digest` what `make pin` resolved it
    to, `debian` the packages with their versions (None: cannot be built from Debian), `jar` a program that Debian does
    not carry. `user` is whom a container of it runs as (`uid:gid`); those that are only built upon have none.
    """

    name: str
    registry: str
    digest: str | None
    debian: dict[str, str] | None
    user: str = ""
    jar: Jar | None = None

    def registry_reference(self, mirror: str = "") -> str:
        """Return the reference to pull, from `mirror` (a `host[:port][/path]` prefix) when one is given.

        A mirror carries official images under `library/`, as every pull-through mirror does, and those of other
        hosts under their names without the host.
        """
        name = f"{self.registry}@{self.digest}" if self.digest else self.registry
        if not mirror:
            return name
        host, _, path = name.partition("/")
        name = path if "." in host and path else name
        return f"{mirror}/{name}" if "/" in name else f"{mirror}/library/{name}"

    def debian_packages(self) -> list[str]:
        """Return `package=version` for each package of the Debian-built image."""
        return [f"{package}={version}" for package, version in (self.debian or {}).items()]


@cache
def table() -> dict[str, Image]:
    """Return every image by its name."""
    return {name: _image(name, row) for name, row in json.loads(TABLE.read_text()).items()}


def _image(name: str, row: dict[str, Any]) -> Image:
    jar = row.pop("jar", None)
    return Image(name=name, **row, jar=Jar(**jar) if jar else None)


def buildable() -> list[str]:
    """Return the names of the images that can be built from Debian packages."""
    return [name for name, image in table().items() if image.debian is not None]


def content_hash(*parts: str | Path) -> str:
    """Return 12 hex digits over strings, files and whole folders, the same wherever the clone lies."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode())
            continue
        files = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
        for file in files:
            if "__pycache__" in file.parts:
                continue
            digest.update(file.relative_to(part.parent).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@cache
def base_reference() -> str:
    """Return the tag of the Debian base: its suite, and what this host trusts."""
    trusted = CA_BUNDLE if CA_BUNDLE.exists() else ""
    return f"janua/base:{SUITE}-{content_hash(FOLDER / 'base', trusted)}"


@cache
def local_reference(name: str) -> str:
    """Return the tag under which the Debian-built image `name` is kept; it changes with all that it is made of.

    Raises KeyError for an unknown name and ValueError for one that Debian does not carry.
    """
    image = table()[name]
    if image.debian is None:
        raise ValueError(f"{name} cannot be built from Debian packages")
    version = image.registry.rpartition(":")[2]
    jars = [image.jar.sha256] if image.jar else []
    made_of = content_hash(base_reference(), *image.debian_packages(), *jars, FOLDER / name)
    return f"janua/{name}:{version}-{made_of}"


def reference(name: str, source: Source, mirror: str = "") -> str:
    """Return the reference of image `name` from `source`; a mirror counts for the registry only."""
    return local_reference(name) if source == "debian" else table()[name].registry_reference(mirror)


@cache
def runtime_reference(source: Source, mirror: str = "") -> str:
    """Return the tag of the runtime image: Python from `source` with the locked dependencies."""
    lock = ROOT / "requirements" / "service.txt"
    return f"janua/runtime:{content_hash(reference('python', source, mirror), lock, FOLDER / 'runtime')}"
