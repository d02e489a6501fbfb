"""`make seed`: writes users, sessions and audit rows into the running stack: `python -m loadtest.population USERS`.

The seed of the population, from which tokens and the password follow, is generated once for each stack. Seeding again
adds what is missing; how many tenants there are cannot be changed afterwards.
"""

import argparse
import sys
from collections.abc import Sequence

import psycopg

from infra.progress import Progress
from loadtest.population.seed import seed
from loadtest.population.stack import PopulationError, connect, population


def main(arguments: Sequence[str] | None = None) -> int:
    """Seed the stack; return 1, with the reason on the screen, if that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.population", description=__doc__)
    parser.add_argument("users", type=_users, help="how many users there are to be")
    parser.add_argument("--stack", default="staging")
    options = parser.parse_args(arguments)
    say = Progress()
    try:
        with connect(options.stack) as connection:
            written = seed(connection, population(options.stack, options.users), say)
    except (PopulationError, psycopg.Error) as error:
        print(f"nothing was written: {error}", file=sys.stderr)
        return 1
    say(f"{written:,} users written" if written else "they are all there: nothing to do")
    return 0


def _users(text: str) -> int:
    count = int(text.replace("_", "").replace(",", ""))
    if not 1 <= count <= 10_000_000:
        raise argparse.ArgumentTypeError("between 1 and 10,000,000")
    return count


if __name__ == "__main__":
    sys.exit(main())
