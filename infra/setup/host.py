"""What the set-up knows of this machine: its folders, and whether it may be changed."""

import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from infra.setup.steps import SetupError

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".janua"
VENV = ROOT / ".venv"
# dpkg allows one at a time.
_APT = threading.Lock()


def cache_folder() -> Path:
    """Return the user's cache folder of this project, shared by every clone; it is made if it is missing."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "janua"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def run(
    command: list[str], *, seconds: float = 600, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end with its output captured; one that takes longer than `seconds` raises SetupError."""
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            env={**os.environ, **(environment or {})},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"{' '.join(command[:3])} … did not end within {seconds:.0f} s") from None


def succeeds(command: list[str], *, seconds: float, environment: Mapping[str, str] | None = None) -> bool:
    """Run a program that may fail or take too long, and return whether it did neither."""
    try:
        return run(command, seconds=seconds, environment=environment).returncode == 0
    except SetupError:
        return False


def checked(
    command: list[str], advice: str, *, seconds: float = 600, environment: Mapping[str, str] | None = None
) -> str:
    """Run a program that has to succeed; return what it printed, or raise SetupError with its last words and advice."""
    result = run(command, seconds=seconds, environment=environment)
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).strip().splitlines()[-15:])
        raise SetupError(f"{' '.join(command[:4])} … failed:\n{tail}\n{advice}")
    return result.stdout


def install_debian(packages: list[str], why: str) -> None:
    """Install Debian packages as root, saying so first; raise SetupError where that is not possible or not wanted.

    JANUA_HOST_CHANGES=off keeps the set-up from changing the host at all.
    """
    require_host_changes(f"install {' '.join(packages)} ({why})")
    if shutil.which("apt-get") is None:
        raise SetupError(f"cannot install {' '.join(packages)} ({why}) without apt-get: install it by hand")
    with _APT:
        print(f"  changing this host: apt-get install {' '.join(packages)} ({why})", flush=True)
        advice = "Mend the package manager's trouble, or install them by hand, and run this again."
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        checked(["apt-get", "update", "-qq"], advice, environment=quiet)
        checked(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], advice, environment=quiet)


def require_host_changes(what: str) -> None:
    """Raise SetupError, with `what` in its message, unless this process may change the host."""
    if os.environ.get("JANUA_HOST_CHANGES") == "off":
        raise SetupError(f"JANUA_HOST_CHANGES is off, so this is yours to do: {what}")
    if os.geteuid() != 0:
        raise SetupError(f"needs root: {what}; run `sudo make setup`, or do it by hand")
