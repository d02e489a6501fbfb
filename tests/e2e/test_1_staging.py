"""A stack that is up: what people, Prometheus and Pulumi see of it."""

import json
import re
import secrets
from typing import Any

import httpx
import jwt
import pytest

from alerts.metrics import EXPORTED_METRICS, OTHER_METRICS, SERVICE_METRICS
from dashboards import live
from loadtest.gate.prometheus import Prometheus
from tests.e2e.deployment import Deployment

PASSWORD = "correct horse battery staple 42"


def query(staging: Deployment, path: str) -> Any:
    answer = httpx.get(f"{staging.outputs()['prometheus_url']}/api/v1/{path}", timeout=10)
    answer.raise_for_status()
    return answer.json()["data"]


def test_up_prints_urls_verdict_and_the_time_of_each_step(staging: Deployment) -> None:
    log = (staging.folder / "up.log").read_text()
    outputs = staging.outputs()
    for name in ("api_url", "prometheus_url", "alertmanager_url", "grafana_url"):
        assert f"{name:<18} {outputs[name]}" in log
    assert "gate               PASS" in log
    assert re.search(r"container smoke +\d+ s", log)
    assert outputs["admin_password"] not in log


def test_a_user_can_sign_up_log_in_and_out(staging: Deployment) -> None:
    email = f"user-{secrets.token_hex(6)}@example.com"
    with staging.api() as api:
        assert api.post("/api/v1/auth/signup", json={"email": email, "password": PASSWORD}).status_code == 201
        login = api.post("/api/v1/auth/login", json={"email": email.upper(), "password": PASSWORD})
        assert login.status_code == 200
        bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
        assert api.get("/api/v1/auth/me", headers=bearer).json()["email"] == email
        # Twice, so that both replicas are asked.
        assert [api.get("/api/v1/auth/validate", headers=bearer).status_code for _ in range(4)] == [200] * 4
        assert api.post("/api/v1/auth/logout", headers=bearer).status_code == 204
        assert [api.get("/api/v1/auth/validate", headers=bearer).status_code for _ in range(4)] == [401] * 4


def test_mistakes_are_problem_documents(staging: Deployment) -> None:
    with staging.api() as api:
        wrong = api.post("/api/v1/auth/login", json={"email": "nobody@example.com", "password": PASSWORD})
        assert wrong.status_code == 401
        assert wrong.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "request_id"} <= wrong.json().keys()
        malformed = api.post("/api/v1/auth/signup", json={"email": "not an address", "password": PASSWORD})
        assert malformed.status_code == 422
        assert "email" in malformed.text


def test_every_response_carries_the_performance_headers(staging: Deployment) -> None:
    with staging.api() as api:
        headers = api.get("/livez").headers
    assert headers["X-Request-ID"]
    assert re.fullmatch(r"\d+\.\d\dms", headers["X-Response-Time"])
    assert headers["X-DB-Queries"] == "0"
    assert re.fullmatch(r"\d+\.\d%", headers["X-Cache-Hit-Rate"])


def test_metrics_are_not_reachable_through_the_edge(staging: Deployment) -> None:
    with staging.api() as api:
        hidden = api.get("/metrics")
    assert hidden.status_code == 404
    assert hidden.headers["content-type"] == "application/problem+json"


def test_the_first_administrator_can_log_in(staging: Deployment) -> None:
    outputs = staging.outputs()
    with staging.api() as api:
        body = {"email": outputs["admin_email"], "password": outputs["admin_password"]}
        login = api.post("/api/v1/auth/login", json=body)
        bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
        assert "platform-admin" in api.get("/api/v1/auth/me", headers=bearer).json()["roles"]


def test_the_first_administrator_makes_a_tenant_that_stands_alone(staging: Deployment) -> None:
    outputs, slug = staging.outputs(), f"acme-{secrets.token_hex(3)}"
    email = f"boss@{slug}.example.com"
    with staging.api() as api:
        admin = _log_in(api, outputs["admin_email"], outputs["admin_password"])
        tenant = {"slug": slug, "name": "Acme", "admin": {"email": email, "password": PASSWORD}}
        assert api.post("/api/v1/tenants", json=tenant, headers=admin).status_code == 201
        boss = _log_in(api, email, PASSWORD, slug)
        assert [user["email"] for user in api.get("/api/v1/users", headers=boss).json()["items"]] == [email]
        events = [event["event_type"] for event in api.get("/api/v1/audit-logs", headers=boss).json()["items"]]
        assert events == ["login_success", "admin_created"]
    # The database keeps them apart, not the service's good will.
    restricted = query(staging, "query?query=janua_database_role_restricted")["result"]
    assert [sample["value"][1] for sample in restricted] == ["1", "1"]


def test_a_signed_token_is_verified_with_either_replica_s_keys(staging: Deployment) -> None:
    outputs = staging.outputs()
    with staging.api() as api:
        admin = _log_in(api, outputs["admin_email"], outputs["admin_password"])
        token = api.post("/api/v1/auth/jwt", headers=admin).json()["token"]
        for _ in range(4):
            keys = {key["kid"]: key for key in api.get("/.well-known/jwks.json").json()["keys"]}
            key = jwt.PyJWK(keys[jwt.get_unverified_header(token)["kid"]])
            assert jwt.decode(token, key, algorithms=["EdDSA"])["tenant"] == "default"


def _log_in(api: httpx.Client, email: str, password: str, tenant: str = "default") -> dict[str, str]:
    body = {"email": email, "password": password}
    answer = api.post("/api/v1/auth/login", json=body, headers={"X-Tenant": tenant})
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_the_gate_saw_every_request_that_k6_sent(staging: Deployment) -> None:
    gate = staging.outputs()["gate"]
    assert gate["verdict"] == "pass"
    assert gate["figures"]["k6_requests"] == gate["figures"]["prometheus_requests"] > 0


def test_every_target_of_prometheus_is_up(staging: Deployment) -> None:
    targets = query(staging, "targets?state=active")["activeTargets"]
    health = {(target["labels"]["job"], target["labels"]["instance"]): target["health"] for target in targets}
    assert set(health.values()) == {"up"}, health
    jobs = [job for job, _ in health]
    assert set(jobs) >= {"service", "postgres", "redis", "edge", "prometheus", "alertmanager", "node", "cadvisor"}
    assert jobs.count("service") == 2


def test_every_rule_loads_and_evaluates(staging: Deployment) -> None:
    rules = [rule for group in query(staging, "rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 10
    assert {rule["health"] for rule in rules} == {"ok"}, [rule for rule in rules if rule["health"] != "ok"]


def test_no_panel_no_recording_and_nothing_that_an_alert_looks_at_is_empty(staging: Deployment) -> None:
    prometheus = Prometheus(staging.outputs()["prometheus_url"])
    assert [question.place for question in live.empty(prometheus, live.asked())] == []


def test_a_logout_shows_how_long_it_took_to_hold(staging: Deployment) -> None:
    """The smoke run ends no session, so the check above lets this one pass: the tests before have logged out."""
    (question,) = {q for q in live.asked() if q.panel == "Time to revoke" and "0.99" in q.promql}
    assert live.has_data(Prometheus(staging.outputs()["prometheus_url"]), question.filled())


def test_every_metric_that_is_named_exists(staging: Deployment) -> None:
    known = set(query(staging, "label/__name__/values"))
    expected = SERVICE_METRICS | OTHER_METRICS | EXPORTED_METRICS
    assert {name for name in expected if not known & {name, f"{name}_bucket"}} == set()


def test_panels_are_drawn_where_no_grafana_is(staging: Deployment) -> None:
    drawn = staging.shell("make --silent pictures")
    assert drawn.returncode == 0, drawn.stdout
    assert len(list((staging.folder / ".janua" / "pictures").glob("*.png"))) > 50


def test_a_healthy_stack_pages_nobody(staging: Deployment) -> None:
    firing = {
        alert["labels"]["alertname"] for alert in query(staging, "alerts")["alerts"] if alert["state"] == "firing"
    }
    # Whether latencies hold is a matter of the machine: load runs are for that, on one that does nothing else.
    assert firing - {"AuthLatencyHigh", "ValidationLatencyHigh"} == {"Watchdog"}


def test_status_tells_of_every_part(staging: Deployment) -> None:
    status = staging.outputs()
    health = {part["name"]: part["health"] for part in status["parts"]}
    assert {health[name] for name in ("postgres", "redis", "service-1", "service-2", "edge")} == {"healthy"}
    assert {health[name] for name in ("textfile", "migrate", "smoke", "judge")} == {"completed"}
    assert "admin_password" not in json.loads(staging.shell("make --silent status JSON=1").stdout.splitlines()[-1])


@pytest.mark.parametrize("command", ["up --yes --skip-preview", "preview --expect-no-changes"])
def test_nothing_changed_means_no_change(staging: Deployment, command: str) -> None:
    result = staging.pulumi(command)
    assert result.returncode == 0, result.stdout
    assert re.search(r"\n +\d+ unchanged", result.stdout), result.stdout
    assert not re.search(r"\d+ (created|updated|replaced|deleted|to create|to update|to replace)", result.stdout)


def test_ports_are_published_on_loopback_only(staging: Deployment) -> None:
    for container in staging.containers():
        for bindings in (container.attrs["HostConfig"]["PortBindings"] or {}).values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}, container.name


def test_no_secret_is_visible(staging: Deployment) -> None:
    """The generated passwords are the canaries: whatever shows one of them has leaked it."""
    folder = staging.folder / ".janua" / "secrets"
    canaries = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    assert len(canaries) == 8
    places = {
        "plain state": staging.pulumi("stack export").stdout,
        "stack file": (staging.folder / f"Pulumi.{staging.stack}.yaml").read_text(),
        "git": staging.shell("git init --quiet && git add --all && git grep --cached -h -e .").stdout,
        "processes": staging.shell("ps -ewwo args").stdout,
    }
    for container in staging.containers():
        places[f"log of {container.name}"] = container.logs().decode(errors="replace")
        places[f"definition of {container.name}"] = json.dumps(container.attrs)
        places[f"image of {container.name}"] = json.dumps(container.image.history())
    (replica,) = staging.containers("service-1")
    # Layers are tar files, which keep what they hold as it is.
    places["files of the release's image"] = b"".join(replica.image.save()).decode("latin-1")
    # Only the places are named: the message of a failed test must not leak what it found.
    leaking = [place for place, text in places.items() if any(canary in text for canary in canaries)]
    assert leaking == []


def test_backups_are_readable_by_their_owner_only(staging: Deployment) -> None:
    assert (staging.folder / "backups").stat().st_mode & 0o077 == 0
