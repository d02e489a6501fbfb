"""The k6 suite, run by the real k6 against small services that answer as the API does, or do not."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
THRESHOLDS_FAILED = 99
METRICS = (
    "janua_request_latency_milliseconds janua_db_queries_total "
    "janua_cache_hit_rate_percent janua_auth_operation_milliseconds"
)


class Service(ThreadingHTTPServer):
    """One replica: counts what it is asked, keeps accounts, and may refuse every validation."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.emails: list[str] = []
        self.validation_status = 200
        self.metrics_status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def api_requests(self) -> int:
        return sum(count for path, count in self.asked.items() if path.startswith("/api/"))


class _Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"
    # Head and body leave together: apart, the second would wait for the acknowledgement of the first.
    wbufsize = 65536

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked[self.path] += 1
        email = body["email"]
        if self.path.endswith("/signup"):
            self.server.emails.append(email)
            self._answer(201, {"id": f"id-of-{email}", "email": email})
        else:
            self._answer(200, {"access_token": f"token-of-{email}"})

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        if self.path == "/metrics":
            self._answer(self.server.metrics_status, METRICS)
        else:
            email = self.headers["Authorization"].removeprefix("Bearer token-of-")
            self._answer(self.server.validation_status, {"user_id": f"id-of-{email}"})

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def replicas() -> Iterator[list[Service]]:
    servers = [Service(), Service()]
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A copy of the suite and the targets, laid out as in the deployment."""
    shutil.copytree(ROOT / "loadtest", tmp_path / "loadtest", ignore=shutil.ignore_patterns("results"))
    (tmp_path / "alerts").mkdir()
    shutil.copy(ROOT / "alerts" / "targets.json", tmp_path / "alerts")
    return tmp_path / "loadtest"


def environment(**variables: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "K6_NO_USAGE_REPORT": "true", "DURATION": "1s", **variables}


def k6(suite: Path, **variables: str) -> tuple[int, str, dict[str, Any]]:
    result = subprocess.run(
        ["k6", "run", "--quiet", suite / "k6" / "main.js"],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("SUMMARY "))
    assert line == result.stdout.splitlines()[-1]
    return result.returncode, result.stdout, json.loads(line.removeprefix("SUMMARY "))


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
    k6(suite, BASE_URL=",".join(replica.url for replica in replicas))
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


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_service_that_refuses_fails_the_run(suite: Path, replicas: list[Service], status: int) -> None:
    replicas[0].validation_status = status
    code, _, summary = k6(suite, BASE_URL=replicas[0].url)
    assert code == THRESHOLDS_FAILED
    assert summary["thresholds_failed"] == ["errors rate<0.01"]
    assert summary["error_rate"] > 0.5


def test_a_service_that_is_not_there_fails_the_run(suite: Path) -> None:
    code, _, summary = k6(suite, BASE_URL="http://127.0.0.1:1")
    assert code == THRESHOLDS_FAILED
    assert summary["error_rate"] == 1
    assert summary["signup_ms"] == {"p95": None, "avg": None}


def test_a_run_that_sends_nothing_fails_by_itself(suite: Path) -> None:
    script = suite / "k6" / "main.js"
    body = "export default function journey({ run }) {\n"
    assert body in script.read_text()
    script.write_text(script.read_text().replace(body, f"{body}  if (run) {{ sleep(0.2); return; }}\n"))
    code, _, summary = k6(suite)
    assert code == THRESHOLDS_FAILED
    assert summary["thresholds_failed"] == ["http_reqs{kind:api} count>0"]
    assert (summary["api_requests"], summary["error_rate"]) == (0, None)


def test_the_thresholds_are_the_targets(suite: Path, replicas: list[Service]) -> None:
    path = suite.parent / "alerts" / "targets.json"
    targets = json.loads(path.read_text())
    for number, key in enumerate(sorted(targets["k6"]), start=1):
        targets["k6"][key] = number / 1e6
    path.write_text(json.dumps(targets))
    code, _, summary = k6(suite, BASE_URL=replicas[0].url)
    assert code == THRESHOLDS_FAILED
    assert sorted(summary["thresholds_failed"]) == [
        "http_req_duration p(95)<0.000001",
        "http_req_duration p(99)<0.000002",
        "login_latency p(95)<0.000003",
        "signup_latency p(95)<0.000004",
        "token_validation_latency p(95)<0.000005",
    ]


def script(suite: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [suite / "run-tests.sh", *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


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


@pytest.mark.parametrize(
    ("profile", "users", "seconds"),
    [("smoke", 1, 1), ("load", 100, 120), ("stress", 500, 180), ("spike", 500, 140), ("soak", 100, 1800)],
)
def test_the_profiles_are_those_of_the_specification(suite: Path, profile: str, users: int, seconds: int) -> None:
    result = subprocess.run(
        ["k6", "inspect", "--include-system-env-vars", "--execution-requirements", suite / "k6" / "main.js"],
        env=environment(TYPE=profile),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    plan = json.loads(result.stdout)
    assert plan["maxVUs"] == users
    stages = plan["scenarios"][profile]["stages"]
    assert sum(_seconds(stage["duration"]) for stage in stages) == seconds


def _seconds(duration: str) -> int:
    """Read durations as k6 prints them, such as 1m40s."""
    minutes, _, rest = duration.rpartition("m")
    return 60 * int(minutes or 0) + int(rest.removesuffix("s") or 0)
