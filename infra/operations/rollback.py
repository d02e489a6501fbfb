"""`make rollback`: the release of before is deployed again, from its own commit: `COMMIT=…` names another one.

That is a release like any other: backup, gate and promotion as its commit has them. The checkout stays as it is, and
so does a newer schema, which the release of before can serve with.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pulumi import automation

from infra.operations import stacks
from infra.setup import stack as setup
from infra.setup.host import LOCAL, ROOT

# What a commit's checkout shares with this one.
SHARED = (".janua", "backups", "reports")


class RollbackError(RuntimeError):
    """There is nothing to roll back to; the message says why."""


def main() -> int:
    """Deploy the commit of before; return `make up`'s exit code, or 1 with the reason if there is none."""
    parser = argparse.ArgumentParser(prog="infra.operations.rollback", description=__doc__)
    parser.add_argument("--stack", default="staging")
    parser.add_argument("--commit", help="deploy this one instead of the one before")
    options = parser.parse_args()
    try:
        commit = _resolved(options.commit or before(_deployed(options.stack)))
        print(f"rolling {options.stack} back to {_git('log', '-1', '--format=%h %s (%cs)', commit)}", flush=True)
        with _checkout(commit, options.stack) as folder:
            command = ["make", "up", f"STACK={options.stack}"]
            code = subprocess.run(command, cwd=folder, env=_environment(), check=False).returncode
    except automation.StackNotFoundError:
        print(f"stack {options.stack} is not deployed: `make up` deploys it", file=sys.stderr)
        return 1
    except RollbackError as error:
        print(f"nothing was rolled back: {error}", file=sys.stderr)
        return 1
    finally:
        setup.write_environment()
    if code == 0:
        print("\nThis checkout is still the newer one: `make up` here deploys that again.")
    return code


def before(deployed: Sequence[Mapping[str, str]]) -> str:
    """Return the commit that was deployed before the present one.

    `deployed` are the environments of the successful updates, the newest first, as Pulumi's history has them. What was
    deployed from a checkout with changes is in no commit, and cannot be deployed again. Raises RollbackError.
    """
    if not deployed:
        raise RollbackError("nothing was ever deployed")
    present = deployed[0]
    for each in deployed[1:]:
        is_clean = each.get("git.head") and each.get("git.dirty") != "true"
        if is_clean and any(each.get(key) != present.get(key) for key in ("git.head", "git.dirty")):
            return each["git.head"]
    raise RollbackError("no earlier release was deployed from a commit: name one with COMMIT=…")


def _deployed(stack: str) -> list[Mapping[str, str]]:
    updates = stacks.select(stack).history()
    return [update.environment for update in updates if (update.kind, update.result) == ("update", "succeeded")]


@contextmanager
def _checkout(commit: str, stack: str) -> Iterator[Path]:
    """Check a commit out beside this checkout, with the stack's state, secrets and configuration; gone at the end."""
    folder = LOCAL / "rollback" / commit[:12]
    shutil.rmtree(folder, ignore_errors=True)
    _git("worktree", "prune")
    _git("worktree", "add", "--detach", str(folder), commit)
    try:
        for name in SHARED:
            (ROOT / name).mkdir(mode=0o700, exist_ok=True)
            (folder / name).symlink_to(ROOT / name)
        shutil.copy2(ROOT / f"Pulumi.{stack}.yaml", folder)
        yield folder
        # What the set-up of that commit has recorded belongs to the stack.
        shutil.copy2(folder / f"Pulumi.{stack}.yaml", ROOT)
    finally:
        _git("worktree", "remove", "--force", str(folder))


def _environment() -> dict[str, str]:
    """Return an environment in which git overlooks what is shared.

    Pulumi writes down whether a checkout has changes, and an update with some is in no commit: `before` passes it over.
    """
    excluded = LOCAL / "rollback" / "excluded"
    excluded.write_text("".join(f"/{name}\n" for name in SHARED))
    setting = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.excludesFile", "GIT_CONFIG_VALUE_0": str(excluded)}
    return {**os.environ, **setting}


def _resolved(commit: str) -> str:
    return _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")


def _git(*arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    result = subprocess.run(["git", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RollbackError(f"git {' '.join(arguments)}: {result.stderr.strip() or 'there is no such commit'}")
    return result.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
