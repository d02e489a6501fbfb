"""Generated secrets: files of mode 600 in .janua/secrets, made once and never overwritten."""

import os
import secrets as random
import shutil
from pathlib import Path

from infra.setup.host import LOCAL

FOLDER = LOCAL / "secrets"
PASSPHRASE = FOLDER / "passphrase"
# Of each stack; infra/config.py takes them over under the same names.
NAMES = ("database", "databaseApp", "databaseExporter", "redis", "grafana", "admin", "signing")
BYTES = 24


def ensure(stack: str) -> str:
    """Generate what is missing of the state's passphrase and the secrets of `stack`."""
    made = [path.name for path in [PASSPHRASE, *(stack_folder(stack) / name for name in NAMES)] if _ensure(path)]
    return f"generated {', '.join(made)}" if made else "all there"


def stack_folder(stack: str) -> Path:
    """Return the folder with the secrets of `stack`, a file each."""
    return FOLDER / stack


def read(stack: str) -> dict[str, str]:
    """Return the secrets of `stack` by name."""
    return {name: (stack_folder(stack) / name).read_text() for name in NAMES}


def ensure_one(path: Path) -> str:
    """Return the secret in `path`, generated if it is not there yet."""
    _ensure(path)
    return path.read_text()


def forget(stack: str) -> None:
    """Delete the secrets of `stack`: of one that does not exist any more."""
    shutil.rmtree(stack_folder(stack), ignore_errors=True)


def _ensure(path: Path) -> bool:
    """Write a new random secret to `path` unless there is one; tell whether it did."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(random.token_urlsafe(BYTES))
    return True
