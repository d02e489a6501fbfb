"""One slow request, followed by its ids: dashboard, exemplar, trace with its SQL and Redis spans, log line."""

import json
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from infra.config import ROOT
from service.settings import Settings
from tests.e2e.deployment import Deployment
from tests.e2e.test_1_staging import PASSWORD, query

LOGOUT = "/api/v1/auth/logout"
LOCKS = "SELECT count(*) FROM pg_locks"
PATIENCE_SECONDS = 60

T = TypeVar("T")


def test_a_slow_request_is_followed_from_the_dashboard_to_its_log_line(staging: Deployment) -> None:
    account = {"email": f"slow-{secrets.token_hex(6)}@example.com", "password": PASSWORD}
    with staging.api() as api:
        api.post("/api/v1/auth/signup", json=account).raise_for_status()
        token = api.post("/api/v1/auth/login", json=account).raise_for_status().json()["access_token"]
        with locked_sessions(staging):
            answer = api.post(LOGOUT, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 204
    request_id = answer.headers["x-request-id"]
    milliseconds = float(answer.headers["x-response-time"].removesuffix("ms"))
    assert milliseconds > slow_ms()

    exemplar = eventually(lambda: slowest_exemplar(staging))
    assert float(exemplar["value"]) > slow_ms()
    trace_id = exemplar["labels"]["trace_id"]

    zipkin = staging.outputs()["traces_url"]
    spans = httpx.get(f"{zipkin}/api/v2/trace/{trace_id}", timeout=10).raise_for_status().json()
    [root] = [span for span in spans if "parentId" not in span]
    assert root["tags"]["http.route"] == LOGOUT
    assert root["tags"]["janua.request_id"] == request_id
    by_system = {span.get("tags", {}).get("db.system.name"): span for span in spans}
    assert {"postgresql", "redis"} <= by_system.keys()
    # What it waited for is what was in its way.
    assert by_system["postgresql"]["duration"] > 0.5 * root["duration"]
    assert token not in json.dumps(spans)
    assert account["email"] not in json.dumps(spans)

    [line] = eventually(lambda: log_lines(staging, trace_id))
    assert line["request_id"] == request_id
    assert (line["path"], line["status"]) == (LOGOUT, 204)
    assert line["duration_ms"] == float(f"{root['duration'] / 1000:.3f}")


def test_a_problem_names_the_trace_that_its_log_line_names(staging: Deployment) -> None:
    with staging.api() as api:
        document = api.get("/api/v1/auth/me").json()
    [line] = eventually(lambda: log_lines(staging, document["trace_id"]))
    assert line["request_id"] == document["request_id"]


def test_zipkin_keeps_to_its_limits_and_is_nobody_special(staging: Deployment) -> None:
    [zipkin] = staging.containers("zipkin")
    assert zipkin.attrs["HostConfig"]["Memory"] == zipkin.attrs["HostConfig"]["MemorySwap"] > 0
    user = zipkin.exec_run(["id", "-u"]).output.decode().strip()
    assert user != "0"


def slow_ms() -> float:
    return float(Settings.model_fields["traces_slow_ms"].default)


@contextmanager
def locked_sessions(staging: Deployment) -> Iterator[None]:
    """Let who writes sessions wait for a moment: the database is slow, as it is behind a migration."""
    [postgres] = staging.containers("postgres")
    command = ["docker", "exec", "-i", postgres.id, "psql", "-U", "janua"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        session = process.stdin
        session.write(b"BEGIN; LOCK TABLE sessions IN SHARE ROW EXCLUSIVE MODE;\n")
        session.flush()
        eventually(lambda: staging.sql(f"{LOCKS} WHERE granted AND mode = 'ShareRowExclusiveLock'") != "0")

        def release() -> None:
            try:
                eventually(lambda: staging.sql(f"{LOCKS} WHERE NOT granted") != "0")
                time.sleep(2 * slow_ms() / 1000)
            finally:
                session.close()  # which ends the transaction

        releasing = threading.Thread(target=release)
        releasing.start()
        yield
        releasing.join()


def slowest_exemplar(staging: Deployment) -> Any:
    """The exemplar that the dashboard's panel of latencies would show highest; None as long as it shows no slow one."""
    now = time.time()
    found = query(staging, f"query_exemplars?{httpx.QueryParams(query=panel(), start=now - 300, end=now)}")
    ours = [series for series in found if series["seriesLabels"]["path"] == LOGOUT]
    exemplars = [exemplar for series in ours for exemplar in series["exemplars"]]
    slow = [exemplar for exemplar in exemplars if float(exemplar["value"]) > slow_ms()]
    return max(slow, key=lambda exemplar: float(exemplar["value"]), default=None)


def panel() -> str:
    """The expression of the dashboard's panel with the latency of each route, with its variables filled in."""
    text = (ROOT / "dashboards" / "json" / "overview.json").read_text()
    targets = [target for panel in json.loads(text)["panels"] for target in panel.get("targets", [])]
    expressions = [target["expr"] for target in targets if "request_latency_milliseconds_bucket" in target["expr"]]
    chosen: str = next(each for each in expressions if "$route" in each)
    return chosen.replace("$route", "/api/v1/.*").replace("$__rate_interval", "1m")


def log_lines(staging: Deployment, trace_id: str) -> list[dict[str, Any]]:
    """The lines `request_completed` of a trace, in the logs of all replicas."""
    replicas = [container for name in ("service-1", "service-2") for container in staging.containers(name)]
    lines = [line for replica in replicas for line in replica.logs().decode().splitlines() if trace_id in line]
    return [each for each in map(json.loads, lines) if each["event"] == "request_completed"]


def eventually(ask: Callable[[], T]) -> T:
    """What `ask` answers as soon as that is anything."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := ask()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.2)
    return found
