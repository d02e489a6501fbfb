"""Every alert comes with all that a person needs who is woken by it, and every figure derives from its target."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts import targets
from alerts.alert import Alert, Severity
from alerts.generate import HERE, generated
from alerts.rule_files import Links, rule_files
from alerts.rules import alerts
from alerts.sync import stale, sync

TARGETS = targets.load()
ALERTS = alerts(TARGETS)
RUNBOOK_SECTIONS = ["Meaning", "Impact", "What to run", "What to change", "How to know that it is over"]

DASHBOARDS = HERE.parent / "dashboards" / "json"
# Whoever is told which of them it is needs no figure.
SAY_ALL_WITHOUT_A_FIGURE = {"BackupMissing", "MetricsAbsent", "NotificationsFailing"}

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


def rules(links: Links | None = None) -> dict[str, Any]:
    files = rule_files(TARGETS, links=links)
    return {rule["alert"]: rule for rule in yaml.safe_load(files["alerts.yml"])["groups"][0]["rules"]}


def test_the_generated_files_are_current() -> None:
    assert stale(generated()) == []


@each_alert
def test_an_alert_has_severity_summary_and_links(alert: Alert) -> None:
    rule = rules()[alert.name]
    assert rule["labels"]["severity"] in ({"none"} if alert.name == "Watchdog" else {"page", "ticket"})
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"] == f"alerts/runbooks/{alert.name}.md"
    assert rule["annotations"]["dashboard_url"] == f"/d/{alert.dashboard}"
    # The figure is what a page is about: up or down needs none.
    is_there_or_not = "{value}" not in alert.summary
    assert not is_there_or_not or " == 0" in alert.expression or alert.name in SAY_ALL_WITHOUT_A_FIGURE


@each_alert
def test_an_alert_leads_to_a_dashboard_that_exists(alert: Alert) -> None:
    assert alert.dashboard in {json.loads(path.read_text())["uid"] for path in DASHBOARDS.glob("*.json")}


@each_alert
def test_an_alert_has_a_runbook(alert: Alert) -> None:
    text = (HERE / "runbooks" / f"{alert.name}.md").read_text()
    assert text.startswith(f"# {alert.name}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == RUNBOOK_SECTIONS
    # Who was woken opens no other page first.
    assert "\n## What to run\n\nIn the repository's root, after `source .janua/env`.\n" in text
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (HERE / "runbooks" / link).is_file()


def test_every_runbook_belongs_to_an_alert() -> None:
    assert {path.stem for path in (HERE / "runbooks").glob("*.md")} == {alert.name for alert in ALERTS}


@each_alert
def test_an_alert_has_a_test_in_which_it_fires_and_one_in_which_it_keeps_silent(alert: Alert) -> None:
    tests = yaml.safe_load((HERE / "tests" / f"{alert.name}.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases} == {alert.name}
    assert {bool(case["exp_alerts"]) for case in cases} == {True, False}


@each_alert
def test_what_explains_an_alert_exists_and_is_not_explained_in_turn(alert: Alert) -> None:
    by_name = {other.name: other for other in ALERTS}
    for name in alert.explained_by:
        assert alert.name not in by_name[name].explained_by


def test_names_are_unique() -> None:
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


@pytest.mark.parametrize(
    ("target", "value", "names"),
    [
        ("auth_latency_p95_ms", 75, {"AuthLatencyBudgetBurn", "AuthLatencyHigh"}),
        ("validation_latency_p95_ms", 3, {"ValidationLatencyBudgetBurn", "ValidationLatencyHigh"}),
        ("auth_operation_latency_p95_ms", 150, {"AuthOperationSlow"}),
        ("queries_per_auth_request_max", 77, {"QueriesPerRequestHigh"}),
        ("cache_hit_rate_min_percent", 77, {"CacheHitRateCollapsed", "CacheHitRateLow"}),
        ("error_rate_max_percent", 7, {"ErrorBudgetBurn", "ErrorRateHigh"}),
    ],
)
def test_a_changed_target_changes_its_alerts_and_no_others(target: str, value: float, names: set[str]) -> None:
    changes: dict[str, Any] = {target: value}
    changed = replace(TARGETS, **changes)
    differing = [new for old, new in zip(ALERTS, alerts(changed), strict=True) if old != new]
    assert {alert.name for alert in differing} == names
    assert all(str(value) in alert.summary for alert in differing)
    assert rule_files(changed) != rule_files(TARGETS)


def test_the_number_of_replicas_and_the_links_are_the_stacks() -> None:
    links = Links(runbooks="https://wiki.example.com/books", dashboards="http://127.0.0.1:3000/d")
    assert "vector(5)" in rule_files(TARGETS, replicas=5)["recordings.yml"]
    annotations = rules(links=links)["RedisDown"]["annotations"]
    assert annotations["runbook_url"] == "https://wiki.example.com/books/RedisDown.md"
    assert annotations["dashboard_url"] == "http://127.0.0.1:3000/d/janua-cache"


def test_a_stack_without_replicas_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one replica"):
        rule_files(TARGETS, replicas=0)


def test_only_the_watchdog_has_no_severity_for_people() -> None:
    assert [alert.name for alert in ALERTS if alert.severity is Severity.NONE] == ["Watchdog"]


def test_sync_writes_what_is_not_current_and_removes_what_nothing_generates(tmp_path: Path) -> None:
    wanted = {tmp_path / "rules" / "one.yml": "1\n"}
    left_over = tmp_path / "rules" / "two.yml"
    assert sync(wanted, check=True) == 1
    assert sync(wanted, check=False) == 0
    left_over.write_text("2\n")
    assert stale(wanted) == [left_over]
    assert sync(wanted, check=False) == 0
    assert sync(wanted, check=True) == 0
    assert not left_over.exists()
