"""`make restore FILE=…`: a backup takes the place of the running stack's database.

It is restored beside the one that serves, compared with what was written down when it was made, brought to the schema
of the release, and only then swapped in, in one transaction. Whatever fails before leaves everything as it was. It ends
when nobody is answered from a copy of what was before.
"""

import argparse
import sys
from pathlib import Path

from pulumi import automation

from infra.operations.jobs import JobError, Jobs

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
    try:
        jobs = Jobs.of(options.stack)
        file = _name(Path(options.file), jobs.backups)
        print(WARNING.format(stack=options.stack, file=file), flush=True)
        for step in (jobs.restore(file), jobs.backup(), jobs.migrate(), jobs.swap(), jobs.outlast_copies()):
            for line in step:
                print(line, flush=True)
    except automation.StackNotFoundError:
        print(f"stack {options.stack} is not deployed: `make up` deploys it", file=sys.stderr)
        return 1
    except JobError as error:
        print(f"nothing was restored, the database serves as before: {error}", file=sys.stderr)
        return 1
    return 0


def _name(file: Path, backups: Path) -> str:
    """Return a dump's name in the folder of backups; JobError if it lies elsewhere."""
    if file.parent != Path() and file.resolve().parent != backups:
        raise JobError(f"{file} does not lie in {backups}, the stack's folder of backups")
    return file.name


if __name__ == "__main__":
    sys.exit(main())
