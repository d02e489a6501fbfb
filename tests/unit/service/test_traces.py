"""What a request that leaves a trace tells of itself, and where its id stands."""

import json
import re
from collections.abc import AsyncIterator

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from service.database.engine import Database
from service.settings import Settings
from tests.harness import Api, bearer, new_email, problem, running
from tests.logs import Log
from tests.traces import EVERY, Kept, flush, trace_id

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
# The two clocks are not read in the same instant.
CLOCKS = 1_000_000
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
EXEMPLAR = re.compile(
    r'^janua_request_latency_milliseconds_bucket\{([^}]*)\} .* # \{trace_id="(\w+)"\} ([0-9.]+) ([0-9.]+)$'
)


@pytest.fixture
async def traced(sqlite_settings: Settings, kept: Kept) -> AsyncIterator[Api]:
    async with running(sqlite_settings.model_copy(update=EVERY)) as api:
        yield api


async def test_a_login_tells_of_its_statements_and_of_its_hash(traced: Api, kept: Kept) -> None:
    email = new_email()
    await traced.signup(email)
    answer = await traced.login(email)
    await flush(traced)
    spans = kept.of(answer)
    root = spans["POST /api/v1/auth/login"]
    assert (root.kind, root.parent, root.status.status_code) == (SpanKind.SERVER, None, StatusCode.UNSET)
    assert (root.attributes or {})["http.response.status_code"] == 200
    assert (root.attributes or {})["janua.kept_because"] == "ratio"
    assert {"hash a password", "INSERT sessions"} <= spans.keys()
    insert = spans["INSERT sessions"]
    assert (insert.kind, (insert.attributes or {})["db.system.name"]) == (SpanKind.CLIENT, "sqlite")
    for span in spans.values():
        assert span is root or span.parent == root.context
        assert span.start_time <= span.end_time  # type: ignore[operator]
        assert root.start_time - CLOCKS <= span.start_time  # type: ignore[operator]
        assert span.end_time <= root.end_time + CLOCKS  # type: ignore[operator]


async def test_a_parent_is_taken_over(traced: Api, kept: Kept) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = await traced.client.get("/livez", headers=headers)
    unsampled = await traced.client.get("/livez", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    await flush(traced)
    [root] = kept.of(answer).values()
    assert trace_id(root) == TRACE
    assert f"{root.parent.span_id:016x}" == PARENT  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="not enough values"):
        kept.of(unsampled)


async def test_a_failed_request_leaves_a_trace_that_its_problem_and_its_log_line_name(
    sqlite_settings: Settings, kept: Kept, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(sqlite_settings.model_copy(update=EVERY | {"traces_ratio": 0})) as api:
        token = await api.new_token()

        def fail(*_: object) -> None:
            raise RuntimeError("nobody foresaw it")

        monkeypatch.setattr(Database, "transaction", fail)
        monkeypatch.setattr(Database, "reading", fail)
        monkeypatch.setattr(Database, "writing", fail)
        await log.read()
        answer = await api.client.patch("/api/v1/users/me", json={"name": "Ada"}, headers=bearer(token))
        document = problem(answer, 500, "internal-error")
        await flush(api)
    root = kept.of(answer)["PATCH /api/v1/users/me"]
    assert (root.status.status_code, (root.attributes or {})["janua.kept_because"]) == (StatusCode.ERROR, "failed")
    assert document["trace_id"] == trace_id(root)
    lines = [json.loads(line) for line in (await log.read()).splitlines()]
    assert {line["trace_id"] for line in lines if line.get("request_id") == document["request_id"]} == {trace_id(root)}
    assert {"unhandled_exception", "request_completed"} <= {line["event"] for line in lines}


async def test_a_failed_statement_is_told_of_with_the_kind_of_its_error_alone(traced: Api, kept: Kept) -> None:
    async with traced.database.writing(None) as connection:
        await connection.exec_driver_sql("DROP TABLE audit_logs")
    email = new_email()
    answer = await traced.signup(email)
    assert answer.status_code == 503
    await flush(traced)
    failed = [span for span in kept.of(answer).values() if "error.type" in (span.attributes or {})]
    assert [(span.attributes or {})["error.type"] for span in failed] == ["OperationalError"]
    assert failed[0].status.status_code is StatusCode.ERROR


async def test_an_exhausted_pool_shows(sqlite_settings: Settings, kept: Kept) -> None:
    short = {"database_pool_size": 1, "database_timeout_seconds": 0.01, "traces_ratio": 0}
    async with running(sqlite_settings.model_copy(update=EVERY | short)) as api:
        async with api.database.reading():
            answer = await api.signup(new_email())
        await flush(api)
    problem(answer, 503, "database-unavailable")
    wait = kept.of(answer)["take a connection"]
    assert (wait.attributes or {})["error.type"] == "TimeoutError"
    assert wait.end_time - wait.start_time >= 10_000_000  # type: ignore[operator]


async def test_exemplars_are_of_requests_whose_trace_was_taken(traced: Api, kept: Kept) -> None:
    answer = await traced.client.get("/livez")
    assert not await exemplars(traced)
    kept.broken = True
    await flush(traced)
    assert not await exemplars(traced)
    kept.broken, kept.spans = False, []
    answer = await traced.client.get("/livez")
    await flush(traced)
    [root] = kept.of(answer).values()
    [(labels, _, value, at)] = [each for each in await exemplars(traced) if each[1] == trace_id(root)]
    assert 'path="/livez"' in labels
    assert 0 < float(value) <= float(re.findall(r'le="(.*?)"', labels)[0])
    assert float(at) == pytest.approx((root.end_time or 0) / 1e9)


async def test_whoever_does_not_ask_for_openmetrics_gets_what_it_always_got(traced: Api) -> None:
    await traced.client.get("/livez")
    await flush(traced)
    answer = await traced.client.get("/metrics", headers={"Accept": "text/plain"})
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert " # {" not in answer.text
    assert "# EOF" not in answer.text


async def test_what_becomes_of_traces_is_counted(traced: Api, kept: Kept) -> None:
    await traced.client.get("/livez")
    await flush(traced)
    kept.broken = True
    await traced.client.get("/livez")
    await flush(traced)
    for outcome, number in {"exported": 1, "failed": 1, "queue_full": 0, "too_many": 0}.items():
        assert traced.metric("janua_traces_total", outcome=outcome) == number


async def test_without_an_address_nothing_is_noted_and_an_id_stands_in_the_log_all_the_same(api: Api, log: Log) -> None:
    assert api.app.state.answered.tracer is None
    await log.read()
    await api.client.get("/livez", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    [line] = [json.loads(row) for row in (await log.read()).splitlines() if "request_completed" in row]
    assert line["trace_id"] == TRACE


async def exemplars(api: Api) -> list[tuple[str, ...]]:
    answer = await api.client.get("/metrics", headers={"Accept": OPENMETRICS})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    return [match.groups() for line in answer.text.splitlines() if (match := EXEMPLAR.match(line))]
