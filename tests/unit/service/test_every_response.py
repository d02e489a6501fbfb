"""What holds for every response: headers, metrics, one log line, and problem documents for errors."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from starlette.responses import Response

from service.audit.events import AuditEvent
from service.observability.logging import JsonFormatter
from service.observability.metrics import (
    AUTH_OPERATIONS,
    CACHE_KINDS,
    CACHE_RESULTS,
    INVALIDATION_OUTCOMES,
    STORE_FAILURES,
)
from service.settings import Settings
from tests.harness import PASSWORD, Api, bearer, new_email, problem, running
from tests.logs import Log

LATENCY = "janua_request_latency_milliseconds_count"


async def test_four_headers_are_on_every_response(api: Api) -> None:
    @api.app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("on purpose")

    answers = [
        await api.client.get("/livez"),
        await api.client.get("/nowhere"),
        await api.client.delete("/livez"),
        await api.client.post("/api/v1/auth/login", json={}),
        await api.client.post("/api/v1/auth/login", content=b"x" * 100_000),
        await api.client.get("/broken"),
        await api.client.get("/docs"),
        await api.client.get("/openapi.json"),
        await api.client.get("/metrics"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 405, 422, 413, 500, 200, 200, 200]
    for answer in answers:
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
        assert re.fullmatch(r"\d+\.\d\dms", answer.headers["x-response-time"])
        assert re.fullmatch(r"\d+", answer.headers["x-db-queries"])
        assert answer.headers["x-cache-hit-rate"] == "0.0%"
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


async def test_the_framework_s_errors_are_problem_documents(api: Api) -> None:
    problem(await api.client.get("/nowhere"), 404, "not-found")
    problem(await api.client.get("/livez/"), 404, "not-found")
    wrong_method = await api.client.delete("/livez")
    problem(wrong_method, 405, "method-not-allowed")
    assert wrong_method.headers["allow"] == "GET"
    # Those of every route with that path, not of the first alone.
    assert (await api.client.delete("/api/v1/tenants")).headers["allow"] == "GET, POST"
    assert (await api.client.post("/api/v1/users/me")).headers["allow"] == "PATCH"


async def test_an_unhandled_exception_is_a_500_and_stands_in_the_log(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    @api.app.get("/broken/{part}")
    async def broken(part: str) -> None:
        raise RuntimeError("on purpose")

    answer = await api.client.get("/broken/1")
    assert "on purpose" not in str(problem(answer, 500, "internal-error"))
    assert api.metric(LATENCY, method="GET", path="/broken/{part}", status="500") == 1
    [record] = [record for record in caplog.records if record.message == "unhandled_exception"]
    assert "RuntimeError: on purpose" in JsonFormatter().format(record)


@pytest.mark.parametrize(
    ("given", "taken"),
    [("abc-123.X_y", True), ("a" * 128, True), ("a" * 129, False), ("with space", False), ("-x", False), ("", False)],
)
async def test_a_well_formed_request_id_is_taken_over(api: Api, given: str, taken: bool) -> None:
    answer = await api.client.get("/livez", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is taken


async def test_the_hit_rate_is_told(api: Api) -> None:
    token = await api.new_token()
    await api.get("validate", token)
    answer = await api.get("validate", token)
    assert answer.headers["x-cache-hit-rate"] == "100.0%"
    await api.get("validate", "A" * 43)
    await api.get("validate", "B" * 43)
    assert (await api.client.get("/livez")).headers["x-cache-hit-rate"] == "50.0%"
    assert api.metric("janua_cache_hit_rate_percent") == 50


async def test_no_answer_of_the_api_may_be_kept_unless_it_says_so(api: Api) -> None:
    @api.app.get("/api/v1/broken")
    async def broken() -> None:
        raise RuntimeError("on purpose")

    @api.app.get("/api/v1/lasting")
    async def lasting() -> Response:
        return Response(headers={"Cache-Control": "max-age=60"})

    email = new_email()
    answers = [
        await api.signup(email),
        await api.login(email),
        await api.login(email, "wrong password"),
        await api.get("validate", "A" * 43),
        await api.client.post("/api/v1/auth/login", json={}),
        await api.client.post("/api/v1/auth/login", content=b"x" * 100_000),
        await api.client.get("/api/v1/nowhere"),
        await api.client.get("/api/v1/broken"),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 401, 401, 422, 413, 404, 500]
    assert [answer.headers.get_list("cache-control") for answer in answers] == [["no-store"]] * len(answers)
    assert (await api.client.get("/api/v1/lasting")).headers.get_list("cache-control") == ["max-age=60"]
    for path in ("/livez", "/docs", "/openapi.json", "/nowhere"):
        assert "cache-control" not in (await api.client.get(path)).headers


async def test_a_body_is_limited_also_without_a_length(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    headers = {"Content-Type": "application/json"}
    answer = await api.client.post("/api/v1/auth/login", content=chunks(), headers=headers)
    problem(answer, 413, "content-too-large")
    fits = json.dumps({"email": new_email(), "password": PASSWORD}).encode() + b" " * 60_000
    assert (await api.client.post("/api/v1/auth/login", content=fits, headers=headers)).status_code == 401


async def test_one_log_line_tells_of_a_request(api: Api, log: Log) -> None:
    email = "secret.person@example.com"
    token = await api.new_token(email)
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    await log.read()
    headers = bearer(token) | {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    answer = await api.client.get("/api/v1/auth/validate", headers=headers)
    [line] = [json.loads(row) for row in (await log.read()).splitlines() if "request_completed" in row]
    assert line["event"] == "request_completed"
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["trace_id"] == trace_id
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/auth/validate", 200)
    assert (line["db_queries"], line["cache_hits"], line["cache_misses"]) == (0, 1, 0)
    assert (line["tenant"], line["user_id"]) == ("default", answer.json()["user_id"])
    assert line["duration_ms"] > 0


async def test_no_secret_gets_into_the_log(api: Api, log: Log) -> None:
    email = "secret.person@example.com"
    token = await api.new_token(email)
    await api.login(email, "some wrong password")
    await api.client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD, "x": token})
    await api.get("me", token)
    await api.logout(token)
    text = await log.read()
    assert "request_completed" in text
    for secret in (token, PASSWORD, "some wrong password", email):
        assert secret not in text


async def test_a_failing_statement_does_not_quote_its_parameters(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    async with api.app.state.database.writing(None) as connection:
        await connection.execute(text("DROP TABLE user_roles"))
    problem(await api.login("secret.person@example.com"), 503, "database-unavailable")
    [record] = [record for record in caplog.records if record.message == "database_unavailable"]
    line = JsonFormatter().format(record)
    assert "no such table" in line
    assert "secret.person" not in line


async def test_paths_are_templates_and_methods_are_known_ones(api: Api) -> None:
    for number in range(3):
        await api.client.get(f"/nowhere/{number}")
        await api.client.request(f"VERB{number}", "/livez")
    assert api.metric(LATENCY, method="GET", path="<unmatched>", status="404") == 3
    assert api.metric(LATENCY, method="<other>", path="/livez", status="405") == 3
    assert api.metric(LATENCY, method="GET", path="/livez", status="200") == 0


async def test_series_exist_before_their_first_event(api: Api) -> None:
    routes = {
        ("POST", "/api/v1/auth/signup", "201"),
        ("POST", "/api/v1/auth/login", "200"),
        ("GET", "/api/v1/auth/me", "200"),
        ("GET", "/api/v1/auth/validate", "200"),
        ("POST", "/api/v1/auth/logout", "204"),
        ("GET", "/readyz", "200"),
        ("GET", "/metrics", "200"),
    }
    for method, path, status in routes:
        assert api.metric(LATENCY, method=method, path=path, status=status) == 0
        assert api.metric("janua_db_queries_total", path=path) == 0
    for operation in AUTH_OPERATIONS:
        assert api.metric("janua_auth_operation_milliseconds_count", operation=operation) == 0
    for event in AuditEvent:
        assert api.metric("janua_audit_rows_total", event_type=event) == 0
    for kind in CACHE_KINDS:
        for result in CACHE_RESULTS:
            assert api.metric("janua_cache_requests_total", tier="memory", kind=kind, result=result) == 0
    for reason in STORE_FAILURES:
        assert api.metric("janua_cache_store_failures_total", reason=reason) == 0
    for outcome in INVALIDATION_OUTCOMES:
        assert api.metric("janua_cache_invalidations_total", outcome=outcome) == 0
    assert api.metric("janua_revocation_milliseconds_count") == 0


async def test_operations_are_measured_also_when_they_fail(api: Api) -> None:
    token = await api.new_token()
    await api.get("validate", token)
    await api.get("validate", "A" * 43)
    for operation, count in (("signup", 1), ("login", 1), ("validate", 2)):
        assert api.metric("janua_auth_operation_milliseconds_count", operation=operation) == count


async def test_the_exposition_is_what_prometheus_reads(settings: Settings) -> None:
    async with running(settings.model_copy(update={"release": "2026.1"})) as api:
        answer = await api.client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        exposition = answer.text
    assert "# TYPE janua_request_latency_milliseconds histogram" in exposition
    assert "# TYPE janua_db_queries_total counter" in exposition
    assert re.search(r'janua_build_info\{python="[\d.]+",release="2026\.1",version="[\d.]+"\} 1\.0\n', exposition)
    assert "janua_cache_hit_rate_percent NaN" in exposition
    assert 'janua_db_pool_connections{state="in_use"} 0.0' in exposition
    assert "janua_db_pool_size 5.0" in exposition
    assert "janua_hash_queue_depth 0.0" in exposition
    assert "janua_redis_up NaN" in exposition  # no Redis is configured
    assert "janua_audit_rows_created" not in exposition


async def test_two_applications_count_apart(settings: Settings) -> None:
    async with running(settings) as one, running(settings) as other:
        await one.client.get("/livez")
        labels = {"method": "GET", "path": "/livez", "status": "200"}
        assert (one.metric(LATENCY, **labels), other.metric(LATENCY, **labels)) == (1, 0)


async def test_the_database_s_failure_is_a_503(settings: Settings, tmp_path: Path) -> None:
    unreachable = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}"})  # no file, a folder
    async with running(unreachable) as api:
        answer: httpx.Response = await api.get("validate", "A" * 43)
        problem(answer, 503, "database-unavailable")
        assert answer.headers["retry-after"] == "1"
