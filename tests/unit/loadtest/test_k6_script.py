"""The script that runs the suite: it keeps the results, and sends load to this machine only."""

import json
import re
from pathlib import Path

import pytest

from tests.unit.loadtest.k6_suite import THRESHOLDS_FAILED, WRITE, Service, script


def test_the_script_keeps_the_results_of_a_run(suite: Path, replicas: list[Service]) -> None:
    result = script(suite, "smoke", BASE_URL=replicas[0].url)
    assert result.returncode == 0, result.stderr
    (folder,) = (suite / "results").iterdir()
    assert folder.name.startswith("smoke_")
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["api_requests"] == replicas[0].api_requests
    raw = [json.loads(line) for line in (folder / "results.json").read_text().splitlines()]
    sent = [point for point in raw if point["type"] == "Point" and point["metric"] == "http_reqs"]
    assert len(sent) == summary["requests"]
    assert {point["data"]["tags"]["name"] for point in sent} == {"signup", "login", "validate", "metrics"}
    assert {point["data"]["tags"]["kind"] for point in sent} == {"api", "metrics"}
    assert {point["data"]["tags"]["scenario"] for point in sent} == {"smoke"}
    assert f"Results           {folder}\n" in result.stdout


def test_a_run_that_is_long_enough_leaves_a_report_that_needs_nothing_else(
    suite: Path, replicas: list[Service]
) -> None:
    result = script(suite, "smoke", BASE_URL=replicas[0].url, K6_WEB_DASHBOARD_PERIOD="50ms")
    assert (result.returncode, result.stderr) == (0, "")
    (report,) = (suite / "results").glob("smoke_*/k6.html")
    loaded = re.findall(r"""<(?:script|link|img|iframe)[^>]*\b(?:src|href)=["']?([^"' >]+)""", report.read_text())
    assert [address for address in loaded if not address.startswith("data:")] == []


def test_the_script_says_how_far_it_is_where_there_is_no_terminal(suite: Path, replicas: list[Service]) -> None:
    result = script(suite, "smoke", BASE_URL=replicas[0].url, PROGRESS_SECONDS="0.2", K6_WEB_DASHBOARD="false")
    assert "iterations complete" in result.stderr
    assert "running (" not in result.stdout


def test_figures_go_to_a_prometheus_that_is_named(suite: Path, replicas: list[Service]) -> None:
    service, prometheus = replicas
    script(suite, "smoke", BASE_URL=service.url, K6_PROMETHEUS_RW_SERVER_URL=f"{prometheus.url}{WRITE}")
    assert set(prometheus.asked) == {WRITE}
    assert service.asked[WRITE] == 0


def test_the_scripts_exit_code_is_that_of_k6(suite: Path, replicas: list[Service]) -> None:
    replicas[0].validation_status = 503
    assert script(suite, "smoke", BASE_URL=replicas[0].url).returncode == THRESHOLDS_FAILED


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:8080",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "http://127.0.0.1.example.com:8080",
        "http://127.0.0.1:8080,http://example.com",
        "ftp://127.0.0.1",
    ],
)
def test_the_script_sends_load_to_this_machine_only(suite: Path, url: str) -> None:
    for name in ("BASE_URL", "METRICS_URL"):
        result = script(suite, "smoke", **{name: url})
        assert result.returncode == 2
        assert "is not an address of this machine" in result.stderr
    assert not (suite / "results").exists()


@pytest.mark.parametrize("arguments", [[], ["everything"]])
def test_the_script_knows_five_profiles(suite: Path, arguments: list[str]) -> None:
    result = script(suite, *arguments)
    assert result.returncode == 2
    assert "smoke, load, stress, spike or soak" in result.stderr
