"""A page that is late, wrong or for ever is no passed drill."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from alerts import targets
from alerts.rules import alerts
from drills.catalogue import DRILLS
from drills.drill import Drill, Notice, Run
from drills.judgement import judge
from infra.config import ROOT

DRILL = Drill("redis-dead", "RedisDown", lambda stack: nullcontext(), "")
PAGE = Notice(
    1030.0,
    "page",
    "firing",
    {"alertname": "RedisDown", "severity": "page"},
    {"runbook_url": "alerts/runbooks/RedisDown.md", "dashboard_url": "/d/janua-cache"},
)
GOOD = Run(fault=1000.0, pending=1010.0, firing=1025.0, page=PAGE, removed=1031.0, resolved=1070.0)


def test_a_page_in_time_with_its_links_that_resolves_passes() -> None:
    assert judge(DRILL, GOOD) == []


@pytest.mark.parametrize(
    ("run", "wrong"),
    [
        (replace(GOOD, page=None), "no RedisDown arrived"),
        (replace(GOOD, page=replace(PAGE, at=1090.1)), "after 90.1 s"),
        (replace(GOOD, page=replace(PAGE, labels={"severity": "ticket"})), "severity is ticket"),
        (replace(GOOD, page=replace(PAGE, route="ticket")), "receiver ticket"),
        (replace(GOOD, page=replace(PAGE, annotations={"dashboard_url": "/d/janua-cache"})), "runbook link is missing"),
        (replace(GOOD, page=replace(PAGE, annotations=PAGE.annotations | {"dashboard_url": "/d/none"})), "dashboard"),
        (replace(GOOD, resolved=None), "no resolve"),
    ],
)
def test_whatever_is_wrong_is_named(run: Run, wrong: str) -> None:
    found = judge(DRILL, run)
    assert len(found) == 1
    assert wrong in found[0]


def test_a_link_to_another_alerts_runbook_is_wrong() -> None:
    other = replace(PAGE, annotations=PAGE.annotations | {"runbook_url": "alerts/runbooks/TargetDown.md"})
    assert "TargetDown" in judge(DRILL, replace(GOOD, page=other))[0]


def test_a_runbook_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    assert judge(DRILL, GOOD, tmp_path) == ["the runbook RedisDown.md does not exist"]


def test_the_time_line_counts_from_the_fault_and_names_what_never_came() -> None:
    lines = replace(GOOD, resolved=None, others={"TargetDown"}).lines()
    assert "fault" in lines[0]
    assert lines[0].endswith("0.0 s")
    assert lines[3].endswith("30.0 s")
    assert lines[5].endswith("never")
    assert "TargetDown" in lines[6]


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
def test_each_drill_waits_for_an_alert_that_there_is_with_its_severity(drill: Drill) -> None:
    alert = {alert.name: alert for alert in alerts(targets.load())}[drill.alert]
    assert alert.severity is drill.severity
    assert (ROOT / "alerts" / "runbooks" / f"{drill.alert}.md").is_file()
