"""The Python environment, from hashed pins."""

import sys
from pathlib import Path

from infra.images.table import content_hash
from infra.setup.host import ROOT, VENV, checked, run
from infra.setup.steps import SetupError

OLDEST = (3, 11)
LOCK = ROOT / "requirements" / "dev.txt"
INSTALLER = ROOT / "requirements" / "installer.txt"
STAMP = VENV / "janua-lock"


def ensure() -> str:
    """Make .venv hold exactly what requirements/dev.txt pins; a changed pin or interpreter makes it anew."""
    if sys.version_info < OLDEST:
        raise SetupError(f"Python {'.'.join(map(str, OLDEST))} or newer is needed, this is {sys.version.split()[0]}")
    wanted = content_hash(LOCK, INSTALLER, sys.version)
    if STAMP.exists() and STAMP.read_text() == wanted and run([str(VENV / "bin/python"), "-c", ""]).returncode == 0:
        return "up to date"
    if VENV.is_symlink():
        raise SetupError(f"{VENV} is a link, and what it leads to would be emptied: remove the link and try again")
    STAMP.unlink(missing_ok=True)
    advice = "Is the Python package registry reachable? `pip config list` shows how it is asked."
    checked(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        "On Debian the module venv is a package of its own: apt-get install python3-venv",
    )
    python = str(VENV / "bin/python")
    # uv installs in parallel: a quarter of the time that pip takes for the same pins.
    checked([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(INSTALLER)], advice)
    checked(
        [str(VENV / "bin/uv"), "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(LOCK)],
        advice,
    )
    _make_importable()
    STAMP.write_text(wanted)
    return f"made, {len(list(_site_packages().glob('*.dist-info')))} packages"


def _site_packages() -> Path:
    return next((VENV / "lib").glob("python3*")) / "site-packages"


def _make_importable() -> None:
    """Put the repository on the environment's path: the Pulumi program and the tests import its folders by name."""
    (_site_packages() / "janua.pth").write_text(f"{ROOT}\n")
