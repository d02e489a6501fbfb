"""Where the images come from on this machine, and their presence on its engine."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.images.build import build_base, build_runtime, build_stand_in, exists
from infra.images.table import FOLDER, Source, local_reference, table
from infra.setup import golang
from infra.setup.host import LOCAL, VENV, cache_folder, install_debian, succeeds
from infra.setup.jars import fetch

PROBE = "redis-exporter"  # the smallest image of the table
PULL_SECONDS = 300
CHOICE = LOCAL / "images.json"


@dataclass(frozen=True)
class Choice:
    """What the probe found: the source of the images, and whether Grafana's can be pulled."""

    source: Source
    mirror: str
    grafana: bool


def choice() -> Choice:
    """Return what the last probe found; FileNotFoundError before the first."""
    return Choice(**json.loads(CHOICE.read_text()))


def probe(mirror: str, grafana_image: str | None, source: Source | None) -> str:
    """Ask once whether a registry answers and record the choice; a `source` given by configuration is kept."""
    chosen: Source = source or ("registry" if _pulls(table()[PROBE].registry_reference(mirror)) else "debian")
    grafana = grafana_image or (table()["grafana"].registry_reference(mirror) if chosen == "registry" else None)
    found = Choice(chosen, mirror, grafana is not None and _pulls(grafana))
    LOCAL.mkdir(exist_ok=True)
    CHOICE.write_text(json.dumps(asdict(found)) + "\n")
    answer = {"registry": "a registry answers: official images", "debian": "built from Debian packages"}[chosen]
    return f"{answer}; Grafana's image {'is there' if found.grafana else 'CANNOT BE PULLED HERE'}"


def ensure_base() -> str:
    """Make the Debian base if images are built here."""
    if choice().source == "registry":
        return "not needed"
    if shutil.which("mmdebstrap") is None:
        install_debian(["mmdebstrap"], "images are built from Debian packages")
    return build_base()


def ensure_stand_in(name: str) -> str:
    """Build the stand-in of image `name` if images are built here, and it is not there."""
    if choice().source == "registry":
        return "not needed"
    image = local_reference(name)
    return image if exists(image) else build_stand_in(name, _beside(name))


def ensure_runtime() -> str:
    """Build the runtime of the service."""
    chosen = choice()
    return build_runtime(chosen.source, chosen.mirror)


def _beside(name: str) -> list[Path]:
    """What the stand-in of image `name` is made of beside Debian's packages."""
    if name == "k6":
        return [VENV / "bin" / "k6"]
    if (FOLDER / name / "go.mod").exists():
        program = cache_folder() / "programs" / name
        golang.build(FOLDER / name, ".", program, environment=golang.STATIC)
        return [program]
    jar = table()[name].jar
    return [fetch(jar)] if jar else []


def _pulls(image: str) -> bool:
    return exists(image) or succeeds(["docker", "pull", "--quiet", image], seconds=PULL_SECONDS)
