"""Java programs that images are built from: fetched by Maven, from wherever its settings on this machine say."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from infra.images.table import Jar
from infra.setup.host import cache_folder, checked, install_debian
from infra.setup.steps import SetupError

DOWNLOAD_SECONDS = 1200
# Named in full, so that every Maven uses the same one.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy"


def fetch(jar: Jar) -> Path:
    """Return the file of `jar`, from the user's cache or fetched; SetupError if it is not the one of the table."""
    kept = cache_folder() / "jars" / jar.file_name
    if not kept.exists():
        if shutil.which("mvn") is None:
            install_debian(["maven"], f"it fetches {jar.artifact}")
        _download(jar, kept)
    if hashlib.sha256(kept.read_bytes()).hexdigest() != jar.sha256:
        raise SetupError(f"{kept} does not have the checksum of infra/images/images.json: remove it and try again")
    return kept


def _download(jar: Jar, kept: Path) -> None:
    kept.parent.mkdir(exist_ok=True)
    # Renamed only when it is whole: an interrupted download leaves nothing that looks finished.
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        advice = "Is Maven Central reachable? A mirror belongs in Maven's settings.xml."
        command = ["mvn", "--batch-mode", "--quiet", COPY, f"-Dartifact={jar.artifact}"]
        checked([*command, f"-DoutputDirectory={scratch}"], advice, seconds=DOWNLOAD_SECONDS)
        (Path(scratch) / jar.file_name).replace(kept)
