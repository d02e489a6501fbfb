"""What each index gives: its queries with it, without it, and without anything that could stand in for it."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from evidence.indexes.costs import Costs
from evidence.indexes.plans import Execution, drop, drop_all_that_serve, execute, undone
from evidence.indexes.queries import Query, Values
from loadtest.population.seed import Connection
from loadtest.population.users import Population
from service.database.indexes import IndexSpec

# Users far apart, so that no two rounds look at the same pages.
_STRIDE = 7919


class Three(NamedTuple):
    """One execution each: with all indexes, without the one, and without whatever serves the query."""

    present: Execution
    absent: Execution
    bare: Execution


@dataclass(frozen=True)
class Evidence:
    """Everything that was measured of one index."""

    index: IndexSpec
    query: Query
    rounds: list[Three]
    costs: Costs

    def times(self, which: str) -> list[float]:
        """The milliseconds of each round: `present`, `absent` or `bare`."""
        return [getattr(each, which).milliseconds for each in self.rounds]

    def last(self, which: str) -> Execution:
        """The execution of the last round."""
        execution: Execution = getattr(self.rounds[-1], which)
        return execution


def gains(connection: Connection, population: Population, index: IndexSpec, query: Query, rounds: int) -> list[Three]:
    """Execute a query of an index in turn with it and without it, on a superuser's connection with autocommit."""
    return [_round(connection, population, index, query, number) for number in range(rounds)]


def _round(connection: Connection, population: Population, index: IndexSpec, query: Query, number: int) -> Three:
    values = query.values(population, number * _STRIDE % population.count)
    present = _warm(connection, query, values)
    with undone(connection):
        drop(connection, index.name)
        absent = _warm(connection, query, values)
        drop_all_that_serve(connection, index.table, query.sql, values)
        bare = _warm(connection, query, values)
    return Three(present, absent, bare)


def _warm(connection: Connection, query: Query, values: Values) -> Execution:
    """Execute a query twice and return the second: the first one brings the pages that only its plan needs."""
    execute(connection, query.sql, values)
    return execute(connection, query.sql, values)


def plain(evidence: Evidence) -> dict[str, Any]:
    """Return the evidence as JSON has it."""
    return {
        "index": evidence.index.name,
        "table": evidence.index.table,
        "columns": evidence.index.columns,
        "question": evidence.query.question,
        "asked_by": evidence.query.asked_by,
        "sql": evidence.query.sql,
        "rounds": [{which: asdict(each) for which, each in three._asdict().items()} for three in evidence.rounds],
        "costs": asdict(evidence.costs),
    }
