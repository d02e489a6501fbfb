"""Plans in words, and what is concluded from executions with and without an index."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerts import targets
from evidence.indexes.costs import Build, Costs
from evidence.indexes.latest import section
from evidence.indexes.measure import Evidence, Three
from evidence.indexes.plans import Execution, in_words, indexes_of
from evidence.indexes.queries import QUERIES
from evidence.indexes.results import Result
from evidence.indexes.verdict import added, verdict
from service.database.indexes import PERFORMANCE_INDEXES

LIMITS = targets.load().index_speedup_min_factor
PLAN = {
    "Node Type": "Limit",
    "Plans": [
        {"Node Type": "Index Scan", "Parent Relationship": "InitPlan", "Index Name": "uq_tenants_slug"},
        {
            "Node Type": "Sort",
            "Parent Relationship": "Outer",
            "Plans": [{"Node Type": "Bitmap Index Scan", "Parent Relationship": "Outer", "Index Name": "idx_a"}],
        },
    ],
}
SCAN = Execution(100.0, 900, 100, "Seq Scan on users", ())
FOUND = Execution(0.1, 4, 0, "Index Scan on idx_users_tenant_email", ("idx_users_tenant_email",))
STAND_IN = Execution(0.11, 4, 0, "Index Scan on uq_users_tenant_id_email", ("uq_users_tenant_id_email",))
COSTS = Costs(2**20, 20, 18, 400, 300, Build(2, 1, 3, 200))


def evidence(present: Execution = FOUND, absent: Execution = SCAN, bare: Execution = SCAN, **of: Any) -> Evidence:
    index, query = PERFORMANCE_INDEXES[1], replace(QUERIES[1], **of)
    return Evidence(index, query, [Three(present, absent, bare)] * 3, COSTS)


def test_a_plan_in_words_leaves_out_how_the_tenant_was_found() -> None:
    assert in_words(PLAN) == "Limit < Sort < Bitmap Index Scan on idx_a"
    assert indexes_of(PLAN) == ("idx_a",)


def test_every_index_has_a_query_and_every_query_its_index() -> None:
    assert {query.index for query in QUERIES} == {index.name for index in PERFORMANCE_INDEXES}


def test_an_index_that_nothing_stands_in_for_pays() -> None:
    assert verdict(evidence()) == "pays"
    assert added(evidence()) == pytest.approx(1000)


def test_an_index_beside_one_that_answers_as_fast_does_not() -> None:
    assert verdict(evidence(absent=STAND_IN)) == ("does not pay: without it uq_users_tenant_id_email answers as fast")


def test_an_index_that_its_query_does_not_use_does_not() -> None:
    assert verdict(evidence(present=STAND_IN)) == "does not pay: its query is answered by uq_users_tenant_id_email"


def test_an_index_that_nobody_asks_is_said_to_be_so() -> None:
    assert "no query of the service" in verdict(evidence(asked_by=""))


def test_the_speed_up_is_judged_against_the_plan_without_any_index() -> None:
    machine = {"processors": 2, "processor": "x", "memory_gb": 1, "kernel": "k", "docker": "d", "commit": "c"}
    here = {**machine, "load_average_before": 0.0}
    slow = evidence(present=replace(FOUND, milliseconds=10))
    assert Result(here, {"users": 1}, [evidence()], LIMITS).missed == []
    missed = Result(here, {"users": 1}, [slow], LIMITS)
    assert [each.factors for each in missed.missed] == [[10, 10, 10]]
    report = missed.report(1_800_000_000)
    assert (report.holds, report.figures[0].holds) == (False, False)
    assert "| idx_users_tenant_email |" in missed.text()


def test_other_reports_show_the_newest_measurement_that_can_be_read(tmp_path: Path) -> None:
    assert "Not measured here yet" in section(tmp_path).description
    for name in ("indexes_20260101T000000Z", "indexes_20260102T000000Z", "indexes_20260103T000000Z"):
        (tmp_path / name).mkdir()
    machine = {"processors": 2}
    Result(machine, {"users": 7}, [evidence()], LIMITS).write(tmp_path / "indexes_20260101T000000Z")
    Result(machine, {"users": 8}, [evidence()], LIMITS).write(tmp_path / "indexes_20260102T000000Z")
    [table] = section(tmp_path).tables
    assert table.description == "8 rows in users"
    assert table.rows[0][0] == "idx_users_tenant_email"


def test_too_few_rows_are_not_judged() -> None:
    few = Result({"processors": 2}, {"users": 1}, [evidence(present=SCAN)], None)
    assert few.missed == []
    assert "no conclusions" in few.text()
