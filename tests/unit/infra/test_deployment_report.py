"""An update writes the report of what it deployed or refused, and goes on without one that cannot be written."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from evidence import deployment
from evidence.deployment import Deployment
from evidence.report.document import Section
from infra.deployment_report import DeploymentReport

SUMMARY = {
    "type": "smoke",
    "started_at": 1_800_000_000.0,
    "ended_at": 1_800_000_030.0,
    "requests": 12,
    "api_requests": 11,
    "iterations": 1,
    "dropped_iterations": 0,
    "shed": 0,
    "error_rate": 0.0,
    "latency_ms": {"p50": 1.0, "p95": 2.0, "p99": 3.0, "avg": 1.5},
    "signup_ms": {"p95": 30.0, "avg": 25.0},
    "login_ms": {"p95": 28.0, "avg": 24.0},
    "token_validation_ms": {"p95": 1.2, "avg": 0.9},
    "thresholds_failed": [],
}
VERDICT = {
    "verdict": "pass",
    "reasons": [],
    "warnings": ["auth p95: 60.00 ms, wanted below 50 ms"],
    "checks": [
        {"name": "auth p95", "found": "60.00 ms", "wanted": "below 50 ms", "good": False, "value": 60.0},
        {"name": "k6 exit code", "found": "0", "wanted": "0", "good": True, "value": None},
    ],
}


def k6_log(**changes: Any) -> str:
    return f"noise\nSUMMARY {json.dumps(SUMMARY | changes)}\n"


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeploymentReport:
    monkeypatch.setattr(deployment, "sections", lambda span: [Section("The run over time")])
    monkeypatch.setattr(deployment, "about", lambda stack, release: {"stack": stack, "release": release})
    return DeploymentReport(Deployment("test", "1-a", "http://127.0.0.1:1"), tmp_path)


def test_a_release_that_passed_has_a_report(report: DeploymentReport) -> None:
    report.k6_ended(0, k6_log())
    assert report.file == ""
    report.judged(0, f"VERDICT {json.dumps(VERDICT)}\n")
    text = Path(report.file).with_suffix(".txt").read_text()
    assert text.startswith("Deployment of 1-a to test\nPASS: ")
    assert "warning: auth p95: 60.00 ms, wanted below 50 ms" in text
    assert "k6: validations, p95" in text


def test_a_refused_release_has_one_too_with_the_reasons(report: DeploymentReport) -> None:
    report.k6_ended(0, k6_log())
    report.judged(1, f"VERDICT {json.dumps(VERDICT | {'verdict': 'fail', 'reasons': ['auth p95: 600 ms']})}\n")
    assert "FAIL: " in Path(report.file).read_text()
    assert "why: auth p95: 600 ms" in Path(report.file).with_suffix(".txt").read_text()


def test_where_k6_fails_there_is_no_verdict_to_wait_for(report: DeploymentReport) -> None:
    report.k6_ended(99, k6_log(thresholds_failed=["errors rate<0.01"]))
    assert "why: k6 missed errors rate<0.01" in Path(report.file).with_suffix(".txt").read_text()


def test_an_overridden_release_has_the_gate_s_report_and_says_so(report: DeploymentReport, tmp_path: Path) -> None:
    overridden = DeploymentReport(report._deployment, tmp_path, may_fail=True)
    overridden.k6_ended(99, k6_log(thresholds_failed=["errors rate<0.01"]))
    assert overridden.file == ""
    verdict = VERDICT | {"verdict": "override", "override": "it is urgent", "reasons": ["k6 exit code: 99, wanted 0"]}
    overridden.judged(0, f"VERDICT {json.dumps(verdict)}\n")
    text = Path(overridden.file).with_suffix(".txt").read_text()
    assert "warning: OVERRIDDEN, the release serves all the same: it is urgent" in text
    assert "why: k6 exit code: 99, wanted 0" in text


def test_a_second_update_of_the_same_run_writes_nothing_new(report: DeploymentReport, tmp_path: Path) -> None:
    for _ in range(2):
        report.k6_ended(0, k6_log())
        report.judged(0, f"VERDICT {json.dumps(VERDICT)}\n")
    assert [file.suffix for file in sorted(tmp_path.iterdir())] == [".html", ".json", ".txt"]


def test_a_run_that_left_nothing_is_nothing_to_report_of(report: DeploymentReport, tmp_path: Path) -> None:
    report.k6_ended(107, "k6 could not start")
    assert (report.file, list(tmp_path.iterdir())) == ("", [])


def test_a_report_that_cannot_be_written_is_a_warning(
    report: DeploymentReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(_span: object) -> list[Section]:
        raise OSError("Prometheus is away")

    warned: list[str] = []
    monkeypatch.setattr(deployment, "sections", unreachable)
    monkeypatch.setattr(pulumi, "warn", warned.append)
    report.k6_ended(0, k6_log())
    report.judged(0, f"VERDICT {json.dumps(VERDICT)}\n")
    assert "Prometheus is away" in warned[0]
    assert report.file == ""
