"""`make restore FILE=…`: a backup takes the place of the running stack's database.

It is restored beside the one that serves, compared with what was written down when it was made, brought to the schema
of the release, and only then swapped in, in one transaction. Whatever fails before leaves everything as it was. It ends
when nobody is answered from a copy of what was before.
"""

import argparse
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from docker.errors import DockerException
from pulumi import automation

from infra.alone import BusyError, alone
from infra.operations.jobs import JobError, Jobs
from infra.progress import INTERRUPTED, end_as_by_ctrl_c

WARNING = """
  WARNING: everything that was written to stack {stack} since {file} was made is lost: users, sessions, audit trail.
  A backup of the present state is made first. Requests fail for a moment while the databases change places.
"""


def main() -> int:
    """Restore a backup; return 1, with the stack as it was, if it is refused or anything fails."""
    parser = argparse.ArgumentParser(prog="infra.operations.restore", description=__doc__)
    parser.add_argument("file", help="a dump in the folder of backups: its name, or its path")
    parser.add_argument("--stack", default="staging")
    options = parser.parse_args()
    end_as_by_ctrl_c()
    try:
        jobs = Jobs.of(options.stack)
        file = _name(Path(options.file), jobs.backups)
        print(WARNING.format(stack=options.stack, file=file), flush=True)
        with alone(f"restore-{options.stack}"):
            restore(jobs, file)
    except automation.StackNotFoundError:
        print(f"stack {options.stack} is not deployed: `make up` deploys it", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "interrupted: unless it is said above that the restored database serves, it is the one of before",
            file=sys.stderr,
        )
        return INTERRUPTED
    except BusyError:
        print(f"another restore of stack {options.stack} is under way", file=sys.stderr)
        return 1
    except (JobError, DockerException) as error:
        print(f"nothing was restored, the database serves as before: {error}", file=sys.stderr)
        return 1
    return 0


def restore(jobs: Jobs, file: str) -> None:
    """Let a dump serve, and print what the jobs say. JobError if one fails, and what was restored is dropped then."""
    _tell(jobs.restore(file))
    try:
        _tell(jobs.backup(spare=file))
        _tell(jobs.migrate())
        jobs.forget_migration()
        _tell(jobs.swap())
    except (JobError, DockerException, KeyboardInterrupt):
        with suppress(JobError, DockerException):
            _tell(jobs.discard())
        raise
    _tell(jobs.outlast_copies())


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _name(file: Path, backups: Path) -> str:
    """Return a dump's name in the folder of backups; JobError if it lies elsewhere."""
    if file.parent != Path() and file.resolve().parent != backups:
        raise JobError(f"{file} does not lie in {backups}, the stack's folder of backups")
    return file.name


if __name__ == "__main__":
    sys.exit(main())
