"""`make down`: `pulumi destroy`, so that no container, network or volume of the stack is left."""

import argparse
import sys
from itertools import chain

from pulumi import automation

from infra.operations import leftovers, stacks


def main() -> int:
    """Destroy the stack's resources; a stack that does not exist, or has none, is fine. Return 1 on failure."""
    parser = argparse.ArgumentParser(prog="infra.operations.down", description=__doc__)
    parser.add_argument("--stack", default="staging")
    name = parser.parse_args().stack
    try:
        stack = stacks.select(name)
        for line in chain(leftovers.clear(stack), leftovers.clear_jobs(name)):
            print(line, flush=True)
        stack.destroy(on_output=lambda line: print(line, flush=True), color="never")
    except automation.StackNotFoundError:
        print(f"stack {name} does not exist: nothing to take down")
    except leftovers.UnderWayError as error:
        print(error, file=sys.stderr)
        return 1
    except automation.CommandError:
        print(f"\n`pulumi destroy` of stack {name} FAILED: see the errors above.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
