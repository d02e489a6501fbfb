"""`make backup`: a dump of the running stack's database, restored and compared before it is called good."""

import argparse
import sys

from pulumi import automation

from infra.operations.jobs import JobError, Jobs
from infra.progress import INTERRUPTED, end_as_by_ctrl_c


def main() -> int:
    """Make a backup and say what is in it; return 1 if it failed, and then it is not kept."""
    parser = argparse.ArgumentParser(prog="infra.operations.backup", description=__doc__)
    parser.add_argument("--stack", default="staging")
    stack = parser.parse_args().stack
    end_as_by_ctrl_c()
    try:
        jobs = Jobs.of(stack)
        for line in jobs.backup():
            print(line, flush=True)
    except KeyboardInterrupt:
        print("interrupted: no backup was made", file=sys.stderr)
        return INTERRUPTED
    except automation.StackNotFoundError:
        print(f"stack {stack} is not deployed: `make up` deploys it", file=sys.stderr)
        return 1
    except JobError as error:
        print(f"there is no good backup: {error}", file=sys.stderr)
        return 1
    print(f"folder: {jobs.backups}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
