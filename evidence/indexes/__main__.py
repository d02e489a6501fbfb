"""Measure the indexes of revision 006 on a PostgreSQL of its own: `python -m evidence.indexes [--users N]`."""

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from alerts import targets
from bench.engine import engine
from bench.images import release_image
from bench.machine import describe
from bench.results import new_folder
from bench.stand import connect, migrate, start_postgres, write_secrets
from evidence.folders import RESULTS
from evidence.indexes import costs
from evidence.indexes.measure import Evidence, gains
from evidence.indexes.queries import QUERIES
from evidence.indexes.results import Result
from evidence.indexes.verdict import JUDGED_FROM_ROWS
from evidence.report.write import write
from infra.progress import INTERRUPTED, Progress, end_as_by_ctrl_c
from loadtest.population.seed import Connection, seed
from loadtest.population.users import Population
from service.database.indexes import PERFORMANCE_INDEXES, IndexSpec

TENANTS = 20
ROUNDS = 7
_say = Progress()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, write the report; 1 if a promise is not kept, 130 if interrupted."""
    options = _options(arguments)
    end_as_by_ctrl_c()
    try:
        result, folder = _run(options.users)
    except KeyboardInterrupt:
        print("interrupted: nothing is left running, and nothing was written", file=sys.stderr)
        return INTERRUPTED
    print(result.text())
    print(f"Results: {folder}\nReport: {write(result.report(time.time()))}")
    return 1 if result.missed else 0


def _run(users: int) -> tuple[Result, Path]:
    population = Population(secrets.token_hex(8), users, TENANTS)
    with _server() as (machine, connections):
        with connections() as connection:
            seed(connection, population, _say)
            rows = {table: _count(connection, table) for table in ("users", "sessions", "audit_logs")}
        evidence = [each for index in PERFORMANCE_INDEXES for each in _evidence(connections, population, index)]
    limits = targets.load().index_speedup_min_factor if users >= JUDGED_FROM_ROWS else None
    result, folder = Result(machine, rows, evidence, limits), new_folder(RESULTS, "indexes")
    result.write(folder)
    return result, folder


def _evidence(connections: Callable[[], Connection], population: Population, index: IndexSpec) -> Iterator[Evidence]:
    _say(f"{index.name}: what it costs")
    paid = costs.measure(connections, index, ROUNDS)
    for query in (query for query in QUERIES if query.index == index.name):
        _say(f"{index.name}: {query.question}")
        with connections() as connection:
            yield Evidence(index, query, gains(connection, population, index, query, ROUNDS), paid)


@contextmanager
def _server() -> Iterator[tuple[dict[str, object], Callable[[], Connection]]]:
    """Start a PostgreSQL with the schema of this checkout; yields the machine, and what connects to the server."""
    with engine() as docker, tempfile.TemporaryDirectory(prefix="janua-indexes-") as scratch:
        folder = Path(scratch) / "secrets"
        folder.mkdir()
        write_secrets(folder)
        _say("building the release image of this checkout, unless it is there, and starting PostgreSQL")
        release = release_image(docker.client)
        postgres = start_postgres(docker, folder)
        migrate(docker, postgres, folder, release)
        yield describe(docker.client, release), partial(connect, postgres, folder)


def _count(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(str(row[0])) if row else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evidence.indexes", description=__doc__)
    parser.add_argument("--users", type=int, default=JUDGED_FROM_ROWS, help="users and sessions, a million by default")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
