"""The gate as a process: it asks a Prometheus over HTTP, prints a table and a verdict, and exits accordingly."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).parents[3]
NOW = time.time()
STARTED_AT = NOW - 20
SUMMARY = {
    "type": "smoke",
    "started_at": STARTED_AT,
    "ended_at": NOW - 5,
    "api_requests": 200,
    "thresholds_failed": [],
}
INSTANCES = ("10.0.0.1:8000", "10.0.0.2:8000")


class FakePrometheus(ThreadingHTTPServer):
    """Answers the gate's queries for a run of 200 requests on two fresh replicas."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.queries: list[str] = []
        self.auth_latency_boundary = "50"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def vector(self, query: str, at: float) -> list[dict[str, Any]]:
        self.queries.append(query)
        if at <= STARTED_AT + 1:
            return []
        if query.startswith("timestamp("):
            return [sample(NOW, instance=instance) for instance in INSTANCES]
        if "_bucket" in query:
            boundary = "5" if "validate" in query else self.auth_latency_boundary
            return [sample(100, instance=instance, le=le) for instance in INSTANCES for le in (boundary, "+Inf")]
        counts = {'status=~"5.."': 0, "_latency_milliseconds_count": 100, 'result="hit"': 90, "queries": 40}
        value = next((count for part, count in counts.items() if part in query), 10)
        return [sample(value, instance=instance) for instance in INSTANCES]


def sample(value: float, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [NOW, str(value)]}


class _Handler(BaseHTTPRequestHandler):
    server: FakePrometheus

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        result = self.server.vector(asked["query"][0], float(asked["time"][0]))
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def prometheus() -> Iterator[FakePrometheus]:
    with FakePrometheus() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "smoke.log"
    path.write_text(f"a warning\nSUMMARY {json.dumps(SUMMARY)}\nlast words\n")
    return path


def run(**environment: str) -> tuple[int, str, dict[str, Any]]:
    result = subprocess.run(
        [sys.executable, "-m", "loadtest.gate"],
        cwd=ROOT,
        env={**os.environ, "PATIENCE_SECONDS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert not result.stderr, result.stderr
    last = result.stdout.splitlines()[-1]
    assert last.startswith("VERDICT ")
    return result.returncode, result.stdout, json.loads(last.removeprefix("VERDICT "))


def asked(prometheus: FakePrometheus, log: Path, **changes: str) -> dict[str, str]:
    question = {
        "PROMETHEUS_URL": prometheus.url,
        "RELEASE": "1-a",
        "REPLICAS": ",".join(INSTANCES),
        "K6_EXIT_CODE": "0",
    }
    return question | {"SUMMARY_FILE": str(log)} | changes


def test_a_good_release_may_serve(prometheus: FakePrometheus, log: Path) -> None:
    code, output, verdict = run(**asked(prometheus, log))
    assert (code, verdict["verdict"], verdict["reasons"]) == (0, "pass", [])
    assert verdict["figures"] == {
        "k6_requests": 200,
        "prometheus_requests": 200,
        "auth_p95_ms": 47.5,
        "validation_p95_ms": 4.75,
        "error_rate": 0,
        "hit_rate_percent": 90,
        "queries_per_auth_request": 0.4,
        "k6": SUMMARY,
    }
    assert "FAIL" not in output
    assert all('janua_build_info{release="1-a",instance=~' in query for query in prometheus.queries)


def test_a_slow_release_may_not(prometheus: FakePrometheus, log: Path) -> None:
    prometheus.auth_latency_boundary = "250"
    code, output, verdict = run(**asked(prometheus, log))
    assert (code, verdict["verdict"]) == (1, "fail")
    assert verdict["reasons"] == ["auth p95: 237.50 ms, wanted below 50 ms"]
    assert output.count("FAIL") == 1


def test_targets_may_be_advice(prometheus: FakePrometheus, log: Path) -> None:
    prometheus.auth_latency_boundary = "250"
    code, _, verdict = run(**asked(prometheus, log, TARGETS="advisory"))
    assert (code, verdict["warnings"]) == (0, ["auth p95: 237.50 ms, wanted below 50 ms"])
    code, _, verdict = run(**asked(prometheus, log, TARGETS="whatever"))
    assert (code, "TARGETS must be" in verdict["reasons"][0]) == (1, True)


def test_an_override_lets_a_refused_release_serve_and_says_so(
    prometheus: FakePrometheus, log: Path, tmp_path: Path
) -> None:
    prometheus.auth_latency_boundary = "250"
    metrics = tmp_path / "gate.prom"
    told = {"OVERRIDE": "the mirror is slow today", "METRICS_FILE": str(metrics)}
    code, output, verdict = run(**asked(prometheus, log, **told))
    assert (code, verdict["verdict"], verdict["override"]) == (0, "override", "the mirror is slow today")
    assert verdict["reasons"] == ["auth p95: 237.50 ms, wanted below 50 ms"]
    assert "OVERRIDDEN: this release serves although the gate refuses it: the mirror is slow today" in output
    assert 'janua_gate_passed{release="1-a"} 0' in metrics.read_text()
    assert 'verdict="override"' in metrics.read_text()


def test_an_override_that_nothing_needs_is_none(prometheus: FakePrometheus, log: Path) -> None:
    code, output, verdict = run(**asked(prometheus, log, OVERRIDE="just in case"))
    assert (code, verdict["verdict"], verdict["override"]) == (0, "pass", "")
    assert "OVERRIDDEN" not in output


def test_a_release_that_misses_a_latency_by_little_may_with_a_warning(prometheus: FakePrometheus, log: Path) -> None:
    prometheus.auth_latency_boundary = "100"
    code, output, verdict = run(**asked(prometheus, log))
    assert (code, verdict["verdict"], verdict["reasons"]) == (0, "pass", [])
    assert verdict["warnings"] == ["auth p95: 95.00 ms, wanted below 50 ms"]
    assert (output.count("WARN"), output.count("FAIL")) == (1, 0)


def test_a_missing_replica_is_waited_for_and_then_refused(prometheus: FakePrometheus, log: Path) -> None:
    started = time.monotonic()
    code, _, verdict = run(**asked(prometheus, log, REPLICAS=",".join([*INSTANCES, "10.0.0.3:8000"])))
    assert code == 1
    assert verdict["reasons"] == ["replicas of the release: 2, wanted 3"]
    assert time.monotonic() - started >= 1


def test_an_unreachable_prometheus_is_a_refusal(prometheus: FakePrometheus, log: Path) -> None:
    code, _, verdict = run(**asked(prometheus, log, PROMETHEUS_URL="http://127.0.0.1:1"))
    assert code == 1
    assert "http://127.0.0.1:1 does not answer" in verdict["reasons"][0]
    assert verdict["figures"]["k6_requests"] == 200
    assert verdict["figures"]["prometheus_requests"] is None


@pytest.mark.parametrize("text", ["", "SUMMARY {", "SUMMARY {}", "SUMMARY []"])
def test_a_log_without_a_readable_summary_is_a_refusal(prometheus: FakePrometheus, tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.log"
    path.write_text(text)
    code, _, verdict = run(**asked(prometheus, path, K6_EXIT_CODE="107"))
    assert code == 1
    assert "SUMMARY line" in verdict["reasons"][0]
    assert "k6 exited with 107" in verdict["reasons"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"REPLICAS": ""}, "not set: REPLICAS"),
        ({"REPLICAS": "two"}, "REPLICAS must be a list of host:port, not 'two'"),
        ({"K6_EXIT_CODE": "good"}, "K6_EXIT_CODE must be a whole number, not 'good'"),
        ({"PROMETHEUS_URL": "file:///etc/passwd"}, "not the address of a Prometheus server"),
    ],
)
def test_a_gate_that_was_started_wrongly_refuses(
    prometheus: FakePrometheus, log: Path, changes: dict[str, str], message: str
) -> None:
    code, _, verdict = run(**asked(prometheus, log, **changes))
    assert code == 1
    assert message in verdict["reasons"][0]
