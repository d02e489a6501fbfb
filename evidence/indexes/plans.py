"""Plans as PostgreSQL explains them, and what it takes to be without an index for a moment."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from loadtest.population.seed import Connection

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Execution:
    """One execution of a query: milliseconds, pages found in memory and pages read, its plan in words."""

    milliseconds: float
    pages_hit: int
    pages_read: int
    plan: str
    indexes: tuple[str, ...]

    @property
    def pages(self) -> int:
        """How many pages of 8 kB were looked at."""
        return self.pages_hit + self.pages_read


def execute(connection: Connection, sql: str, values: Mapping[str, object]) -> Execution:
    """Execute a query and return what that took. Times of single nodes are not taken: asking the clock takes longer."""
    explained = _explain(connection, "ANALYZE, BUFFERS, TIMING OFF", sql, values)
    plan = explained["Plan"]
    return Execution(
        explained["Execution Time"],
        plan["Shared Hit Blocks"],
        plan["Shared Read Blocks"],
        in_words(plan),
        indexes_of(plan),
    )


def indexes(connection: Connection, sql: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the indexes that the plan of a query uses, without executing it."""
    return indexes_of(_explain(connection, "COSTS OFF", sql, values)["Plan"])


def indexes_of(plan: Node) -> tuple[str, ...]:
    """Return the indexes that a plan uses, in its order."""
    return tuple(dict.fromkeys(node["Index Name"] for node in _nodes(plan) if "Index Name" in node))


def in_words(plan: Node) -> str:
    """Return a plan on one line: its nodes from the outside in, with what they read."""
    words = []
    for node in _nodes(plan):
        subject = node.get("Index Name") or node.get("Relation Name")
        words.append(f"{node['Node Type']} on {subject}" if subject else str(node["Node Type"]))
    return " < ".join(words)


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """Whatever is done within has not happened at the end, dropped indexes included."""
    with connection.transaction(force_rollback=True):
        yield


def drop(connection: Connection, index: str) -> None:
    """Drop an index, or the constraint that it belongs to."""
    row = connection.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conindid = %s::regclass", (index,)
    ).fetchone()
    if row:
        connection.execute(f"ALTER TABLE {row[0]} DROP CONSTRAINT {row[1]} CASCADE")
    else:
        connection.execute(f"DROP INDEX {index}")


def drop_all_that_serve(connection: Connection, table: str, sql: str, values: Mapping[str, object]) -> None:
    """Drop the table's indexes until the plan of a query uses none of them."""
    while used := [index for index in indexes(connection, sql, values) if _table_of(connection, index) == table]:
        drop(connection, used[0])


def _table_of(connection: Connection, index: str) -> str:
    row = connection.execute(
        "SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = %s::regclass", (index,)
    ).fetchone()
    return str(row[0]) if row else ""


def _explain(connection: Connection, how: str, sql: str, values: Mapping[str, object]) -> dict[str, Any]:
    row = connection.execute(f"EXPLAIN ({how}, FORMAT JSON) {sql}", values).fetchone()
    assert row is not None  # noqa: S101 - EXPLAIN always answers
    explained: dict[str, Any] = row[0][0]  # type: ignore[index]  # a list of one plan
    return explained


def _nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", ()):
        if child.get("Parent Relationship") != "InitPlan":
            yield from _nodes(child)
