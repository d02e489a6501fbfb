"""What an index costs: its size, what it adds to a row that is written, and building it while others write."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from threading import Event, Thread

from bench.arithmetic import percentile
from evidence.indexes.plans import drop, undone
from loadtest.population.seed import Connection
from service.database.indexes import IndexSpec

BATCH = 4000
_BUILT = "evidence_built"
_WRITES_PER_SECOND = 100
_BEFORE_SECONDS = 2.0

# New rows like those that are there, as many as are asked for.
_ROWS = {
    "users": (
        "INSERT INTO users (id, tenant_id, email, name, password_hash, created_at, updated_at)"
        " SELECT gen_random_uuid(), tenant_id, gen_random_uuid()::text, name, password_hash, now(), now()"
        " FROM users LIMIT {count}"
    ),
    "sessions": (
        "INSERT INTO sessions (id, tenant_id, user_id, token, refresh_token, is_active, created_at, expires_at,"
        " refresh_expires_at) SELECT gen_random_uuid(), tenant_id, user_id, md5(random()::text) || md5(token),"
        " md5(random()::text) || md5(refresh_token), true, now(), now() + interval '1 hour', now() + interval '30 days'"
        " FROM sessions LIMIT {count}"
    ),
    "audit_logs": (
        "INSERT INTO audit_logs (id, tenant_id, user_id, event_type, created_at, details)"
        " SELECT gen_random_uuid(), tenant_id, user_id, event_type, clock_timestamp(), '{{}}'"
        " FROM audit_logs LIMIT {count}"
    ),
}


@dataclass(frozen=True)
class Build:
    """Building an index online: seconds, and the p95 of single rows being written before and meanwhile, in ms.

    A row that had to wait for the one before counts from when it was due.
    """

    seconds: float
    write_p95_before_ms: float
    write_p95_meanwhile_ms: float
    writes_meanwhile: int


@dataclass(frozen=True)
class Costs:
    """Bytes on disk, and of a written row with the index and without it: microseconds and bytes of WAL."""

    size_bytes: int
    row_us_with: float
    row_us_without: float
    wal_bytes_with: float
    wal_bytes_without: float
    build: Build


def measure(connections: Callable[[], Connection], index: IndexSpec, rounds: int) -> Costs:
    """Measure what an index costs; `connections` makes a superuser's connection with autocommit at each call."""
    with connections() as connection:
        return Costs(_size(connection, index.name), *_write(connection, index, rounds), _build(connections, index))


def _size(connection: Connection, index: str) -> int:
    row = connection.execute("SELECT pg_relation_size(%s::regclass)", (index,)).fetchone()
    return int(str(row[0])) if row else 0


def _write(connection: Connection, index: IndexSpec, rounds: int) -> tuple[float, float, float, float]:
    """Write batches of rows with and without the index, in turn, and undo them.

    Returns microseconds for each row with it and without it, and bytes of WAL likewise: the middle one of all rounds.
    Images of whole pages are left out of the WAL: how many there are depends on when the last checkpoint was.
    """
    connection.execute("ALTER SYSTEM SET full_page_writes = off")
    connection.execute("SELECT pg_reload_conf()")
    # The first batch brings pages into memory for all that follow.
    with undone(connection):
        _batch(connection, index.table)
    present: list[tuple[float, float]] = []
    absent: list[tuple[float, float]] = []
    for _ in range(rounds):
        with undone(connection):
            present.append(_batch(connection, index.table))
        with undone(connection):
            drop(connection, index.name)
            absent.append(_batch(connection, index.table))
    connection.execute(f"VACUUM {index.table}")
    times = [median(us for us, _ in each) for each in (present, absent)]
    logged = [median(wal for _, wal in each) for each in (present, absent)]
    return times[0], times[1], logged[0], logged[1]


def _build(connections: Callable[[], Connection], index: IndexSpec) -> Build:
    """Build the index once more under another name, as the migration does it, while rows are being written."""
    with connections() as connection, _writing(connections, index.table) as latencies:
        time.sleep(_BEFORE_SECONDS)
        before = list(latencies)
        started = time.monotonic()
        connection.execute(f"CREATE INDEX CONCURRENTLY {_BUILT} ON {index.sql}")
        seconds = time.monotonic() - started
        meanwhile = latencies[len(before) :]
    with connections() as connection:
        connection.execute(f"DROP INDEX CONCURRENTLY {_BUILT}")
    return Build(seconds, _p95_ms(before), _p95_ms(meanwhile), len(meanwhile))


def _batch(connection: Connection, table: str) -> tuple[float, float]:
    """Return microseconds and bytes of WAL for each row."""
    sql = _ROWS[table].format(count=BATCH)
    row = connection.execute(f"EXPLAIN (ANALYZE, WAL, TIMING OFF, FORMAT JSON) {sql}").fetchone()
    explained = row[0][0]  # type: ignore[index]  # a list of one plan
    written = explained["Plan"]["Plans"][0]["Actual Rows"]
    return 1000 * explained["Execution Time"] / written, explained["Plan"]["WAL Bytes"] / written


@contextmanager
def _writing(connections: Callable[[], Connection], table: str) -> Iterator[list[float]]:
    """Write single rows at a steady pace; yields the seconds from when each was due. The rows stay."""
    latencies: list[float] = []
    ended = Event()

    def work() -> None:
        with connections() as connection:
            due = time.monotonic()
            while not ended.wait(max(0.0, due - time.monotonic())):
                connection.execute(_ROWS[table].format(count=1))
                latencies.append(time.monotonic() - due)
                due += 1 / _WRITES_PER_SECOND

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield latencies
    finally:
        ended.set()
        thread.join()


def _p95_ms(seconds: list[float]) -> float:
    return 1000 * percentile(sorted(seconds), 95)
