"""The k6 suite, run by the real k6: what it sends, what it says, and when it fails."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.loadtest.k6_suite import THRESHOLDS_FAILED, Service, k6, run


def test_a_good_service_passes_and_the_counts_agree(suite: Path, replicas: list[Service]) -> None:
    code, output, summary = k6(suite, BASE_URL=",".join(replica.url for replica in replicas))
    assert (code, summary["thresholds_failed"], summary["error_rate"]) == (0, [], 0)
    assert summary["api_requests"] == sum(replica.api_requests for replica in replicas)
    assert summary["requests"] == summary["api_requests"] + summary["iterations"]
    assert summary["ended_at"] > summary["started_at"]
    assert "Load Test Results" in output
    for row in ("Requests", "Signup", "Login", "Token validation", "Error rate", "Iterations"):
        assert f"\n  {row} " in output


def test_iterations_are_spread_over_the_replicas_and_addresses_are_unique(suite: Path, replicas: list[Service]) -> None:
    _k6_with_iterations(2, suite, replicas)
    signups = [len(replica.emails) for replica in replicas]
    emails = [email for replica in replicas for email in replica.emails]
    assert min(signups) >= 1
    assert max(signups) - min(signups) <= 1
    assert len(set(emails)) == len(emails)


def test_hidden_metrics_are_as_expected_and_missing_ones_are_not(suite: Path, replicas: list[Service]) -> None:
    replicas[0].metrics_status = 404
    assert k6(suite, BASE_URL=replicas[0].url)[0] == 0
    replicas[0].metrics_status = 500
    assert k6(suite, BASE_URL=replicas[0].url)[0] == THRESHOLDS_FAILED


def test_metrics_are_read_where_they_are_said_to_be(suite: Path, replicas: list[Service]) -> None:
    service, elsewhere = replicas
    assert k6(suite, BASE_URL=service.url, METRICS_URL=elsewhere.url)[0] == 0
    assert service.asked["/metrics"] == 0
    assert set(elsewhere.asked) == {"/metrics"}


def test_the_gates_log_is_the_block_and_the_summary(suite: Path, replicas: list[Service]) -> None:
    result = run(suite, BASE_URL=replicas[0].url)
    assert result.stderr == ""
    assert result.stdout.strip().splitlines()[0] == "Load Test Results"


def test_a_run_says_how_far_it_is_if_asked_to(suite: Path, replicas: list[Service]) -> None:
    result = run(suite, BASE_URL=replicas[0].url, PROGRESS_SECONDS="0.2")
    assert " s: 1 users, " in result.stderr
    assert all("iterations complete" in line for line in result.stderr.splitlines())


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_service_that_refuses_fails_the_run(suite: Path, replicas: list[Service], status: int) -> None:
    replicas[0].validation_status = status
    code, _, summary = k6(suite, BASE_URL=replicas[0].url)
    assert code == THRESHOLDS_FAILED
    assert summary["thresholds_failed"] == ["errors rate<0.01"]
    assert summary["error_rate"] > 0.5


def test_a_service_that_is_slow_fails_the_run(suite: Path, replicas: list[Service]) -> None:
    _set_targets(suite, token_validation_latency_p95_ms=100)
    replicas[0].validation_seconds = 0.15
    code, _, summary = k6(suite, BASE_URL=replicas[0].url)
    assert code == THRESHOLDS_FAILED
    assert summary["thresholds_failed"] == ["token_validation_latency p(95)<100"]
    assert summary["token_validation_ms"]["p50"] > 100


@pytest.mark.parametrize("profile", ["stress", "spike"])
def test_under_stress_a_login_may_be_shed_and_is_counted_apart(
    suite: Path, replicas: list[Service], profile: str
) -> None:
    replicas[0].login_status = 429
    code, output, summary = _k6_with_iterations(1, suite, replicas[:1], TYPE=profile, RATE="5")
    assert (code, summary["error_rate"]) == (0, 0)
    assert summary["shed_by"] == {"signup": 0, "login": summary["shed"]}
    assert summary["shed"] == len(replicas[0].logins) > 0
    assert f"{summary['shed']} (0 signups, {summary['shed']} logins)" in output


def test_elsewhere_it_may_not(suite: Path, replicas: list[Service]) -> None:
    replicas[0].login_status = 429
    code, _, summary = k6(suite, BASE_URL=replicas[0].url)
    assert (code, summary["shed"]) == (THRESHOLDS_FAILED, 0)


def test_a_service_that_is_not_there_fails_the_run(suite: Path) -> None:
    code, _, summary = k6(suite, BASE_URL="http://127.0.0.1:1")
    assert code == THRESHOLDS_FAILED
    assert summary["error_rate"] == 1
    assert summary["signup_ms"] == {"p50": None, "p95": None, "p99": None, "avg": None}


def test_a_run_that_sends_nothing_fails_by_itself(suite: Path) -> None:
    script = suite / "k6" / "main.js"
    body = "export default function iteration({ run }) {\n"
    assert body in script.read_text()
    script.write_text(script.read_text().replace(body, f"{body}  if (run) {{ return; }}\n"))
    code, _, summary = k6(suite)
    assert code == THRESHOLDS_FAILED
    assert summary["thresholds_failed"] == ["http_reqs{kind:api} count>0"]
    assert (summary["api_requests"], summary["error_rate"]) == (0, None)


def test_the_thresholds_are_the_targets(suite: Path, replicas: list[Service]) -> None:
    names = json.loads((suite.parent / "alerts" / "targets.json").read_text())["k6"]
    _set_targets(suite, **{name: number / 1e6 for number, name in enumerate(sorted(names), start=1)})
    code, _, summary = k6(suite, BASE_URL=replicas[0].url)
    assert code == THRESHOLDS_FAILED
    assert sorted(summary["thresholds_failed"]) == [
        "http_req_duration p(95)<0.000001",
        "http_req_duration p(99)<0.000002",
        "login_latency p(95)<0.000003",
        "signup_latency p(95)<0.000004",
        "token_validation_latency p(95)<0.000005",
    ]


def _set_targets(suite: Path, **milliseconds: float) -> None:
    path = suite.parent / "alerts" / "targets.json"
    targets = json.loads(path.read_text())
    assert milliseconds.keys() <= targets["k6"].keys()
    targets["k6"] |= milliseconds
    path.write_text(json.dumps(targets))


def _k6_with_iterations(
    fewest: int, suite: Path, replicas: list[Service], **variables: str
) -> tuple[int, str, dict[str, Any]]:
    """Run the suite, up to three times: in a machine that stands still a run of a second begins too few iterations."""
    for _ in range(3):
        for replica in replicas:
            replica.emails.clear()
            replica.logins.clear()
        code, output, summary = k6(suite, BASE_URL=",".join(replica.url for replica in replicas), **variables)
        if summary["iterations"] >= fewest:
            break
    return code, output, summary
