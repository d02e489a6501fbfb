"""On real tables each index of revision 006 is what its query uses, and being without one lasts for a moment only."""

from collections.abc import Iterator

import pytest

from evidence.indexes import costs
from evidence.indexes.measure import gains
from evidence.indexes.plans import drop, drop_all_that_serve, indexes, undone
from evidence.indexes.queries import QUERIES, Query
from loadtest.population.seed import Connection, seed
from loadtest.population.users import Population
from service.database.indexes import PERFORMANCE_INDEXES
from tests.servers import Database

pytestmark = pytest.mark.integration

POPULATION = Population("seed", 3000, tenants=3)
SPECS = {index.name: index for index in PERFORMANCE_INDEXES}
# The planner has the choice between two for a kind of event that is frequent: either is right.
EITHER = "the newest events of a frequent kind in a tenant"


@pytest.fixture
def seeded(migrated: Database) -> Iterator[Connection]:
    with migrated.connect("postgres") as connection:
        seed(connection, POPULATION)
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_sort = off")
        yield connection


def present(connection: Connection) -> set[str]:
    rows = connection.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'").fetchall()
    return {str(row[0]) for row in rows}


def of(query: Query) -> dict[str, object]:
    return query.values(POPULATION, 5)


def test_each_index_serves_its_query(seeded: Connection) -> None:
    used = {query.index: indexes(seeded, query.sql, of(query)) for query in QUERIES if query.question != EITHER}
    # The address alone is in an index that comes first in the alphabet of costs: equal ones are interchangeable.
    interchangeable = {"idx_users_email", "idx_users_tenant_email", "uq_users_tenant_id_email"}
    for index, found in used.items():
        assert index in found or (interchangeable.intersection(found) and index in interchangeable), (index, found)


def test_without_it_its_query_finds_another_way_and_then_it_is_back(seeded: Connection) -> None:
    before = present(seeded)
    seeded.execute("SET enable_seqscan = on")
    for query in QUERIES:
        with undone(seeded):
            drop(seeded, query.index)
            assert query.index not in indexes(seeded, query.sql, of(query))
            drop_all_that_serve(seeded, SPECS[query.index].table, query.sql, of(query))
            assert indexes(seeded, query.sql, of(query)) == ()
    assert present(seeded) == before


def test_the_tenant_s_address_is_found_without_its_index_too(seeded: Connection) -> None:
    query = next(query for query in QUERIES if query.index == "idx_users_tenant_email")
    with undone(seeded):
        drop(seeded, "idx_users_tenant_email")
        drop(seeded, "idx_users_email")
        assert indexes(seeded, query.sql, of(query)) == ("uq_users_tenant_id_email",)


def test_what_is_measured_of_an_index(migrated: Database, seeded: Connection) -> None:
    index, query = SPECS["idx_sessions_token"], next(query for query in QUERIES if query.index == "idx_sessions_token")
    (round_,) = gains(seeded, POPULATION, index, query, 1)
    assert (round_.present.indexes, round_.bare.indexes) == (("idx_sessions_token",), ())
    assert round_.present.pages < round_.bare.pages
    paid = costs.measure(lambda: migrated.connect("postgres"), index, 1)
    assert paid.size_bytes > 0
    assert paid.wal_bytes_with > paid.wal_bytes_without
    assert paid.build.writes_meanwhile >= 0
    assert "evidence_built" not in present(seeded)
