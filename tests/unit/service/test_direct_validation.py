"""What is answered from memory before there is a task must be what the application would have answered."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Scope

from service.clock import ManualClock
from service.settings import Settings
from tests.harness import Api, SharedStore, StoreView, running
from tests.logs import Log
from tests.traces import EVERY, Kept, flush
from tests.unit.service.test_validate_endpoint import FORMS

PATH = "/api/v1/auth/validate"
DATE = (b"date", b"Thu, 01 Jan 2026 00:00:00 GMT")
# What differs between any two answers.
OWN = {"x-request-id", "x-response-time", "date"}
LATENCY = {"method": "GET", "path": PATH, "status": "200"}


@pytest.fixture
def view() -> StoreView:
    return SharedStore(ManualClock()).view()


@pytest.fixture
async def api(settings: Settings, view: StoreView) -> AsyncIterator[Api]:
    """A replica with copies in its memory, which is what a store that is shared gives it."""
    async with running(settings, clock=ManualClock(), store=view) as started:
        yield started


@pytest.fixture
async def token(api: Api) -> str:
    """A token that was validated a moment ago."""
    token = await api.new_token()
    assert (await api.get("validate", token)).status_code == 200
    return token


def ask(api: Api, *headers: tuple[bytes, bytes], path: str = PATH, method: str = "GET") -> httpx.Response | None:
    """The direct answer, if there is one."""
    scope: Scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    answer = api.app.direct(scope, [DATE])  # type: ignore[attr-defined]
    return None if answer is None else parsed(answer)


def parsed(answer: bytes) -> httpx.Response:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    assert status == "HTTP/1.1 200 OK"
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    response = httpx.Response(200, headers=headers, content=body)
    assert int(response.headers["content-length"]) == len(body)
    return response


def bearer(token: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {token}".encode("latin-1")


async def test_it_is_what_the_application_answers(api: Api, token: str) -> None:
    direct, ordinary = ask(api, bearer(token)), await api.get("validate", token)
    assert direct is not None
    assert direct.content == ordinary.content
    assert direct.headers["date"] == DATE[1].decode()
    assert direct.headers.keys() - OWN == ordinary.headers.keys() - OWN
    for name in direct.headers.keys() - OWN:
        assert direct.headers.get_list(name) == ordinary.headers.get_list(name), name


@pytest.mark.parametrize("form", FORMS)
async def test_nothing_but_a_success_is_answered(api: Api, token: str, form: str) -> None:
    value = form.format(token, token).encode("latin-1")
    ordinary = await api.client.get(PATH, headers={b"Authorization": value})
    assert (ask(api, (b"authorization", value)) is not None) == (ordinary.status_code == 200)


@pytest.mark.parametrize(("tenant", "answered"), [("default", True), ("other", False), ("", False), ("\xe9", False)])
async def test_the_tenant_is_that_of_the_token(api: Api, token: str, tenant: str, answered: bool) -> None:
    assert (ask(api, bearer(token), (b"x-tenant", tenant.encode("latin-1"))) is not None) is answered


async def test_only_that_one_request_is_answered(api: Api, token: str) -> None:
    assert ask(api) is None
    assert ask(api, bearer(token), method="HEAD") is None
    assert ask(api, bearer(token), path=f"{PATH}/") is None
    assert ask(api, bearer(token), path="/api/v1/auth/me") is None
    assert ask(api, bearer("A" * 43)) is None


async def test_a_token_that_was_ended_is_not_answered(api: Api, token: str) -> None:
    assert ask(api, bearer(token)) is not None
    assert (await api.logout(token)).status_code == 204
    assert ask(api, bearer(token)) is None


async def test_a_token_that_has_expired_is_not_answered(settings: Settings, view: StoreView) -> None:
    clock = ManualClock()
    lasting = settings.model_copy(update={"access_token_seconds": 10, "cache_memory_lease_seconds": 60})
    async with running(lasting, clock=clock, store=view) as api:
        token = await api.new_token()
        await api.get("validate", token)
        assert ask(api, bearer(token)) is not None
        clock.advance(10)
        assert ask(api, bearer(token)) is None


async def test_without_proof_of_freshness_nothing_is_answered(api: Api, view: StoreView, token: str) -> None:
    view.down = True
    assert ask(api, bearer(token)) is None


async def test_it_is_counted_and_logged_like_any_other(api: Api, token: str, log: Log) -> None:
    names = {
        "janua_request_latency_milliseconds_count": LATENCY,
        "janua_auth_operation_milliseconds_count": {"operation": "validate"},
        "janua_cache_requests_total": {"tier": "memory", "kind": "validation", "result": "hit"},
    }
    before = [api.metric(name, **labels) or 0 for name, labels in names.items()]
    await log.read()
    answer = ask(api, bearer(token), (b"x-request-id", b"abc-1"))
    assert answer is not None
    assert answer.headers["x-request-id"] == "abc-1"
    assert [api.metric(name, **labels) for name, labels in names.items()] == [count + 1 for count in before]
    [line] = map(json.loads, (await log.read()).splitlines())
    assert (line["request_id"], line["path"], line["status"]) == ("abc-1", PATH, 200)
    assert (line["cache_hits"], line["cache_misses"], line["db_queries"]) == (1, 0, 0)
    assert (line["tenant"], line["user_id"]) == ("default", answer.json()["user_id"])


async def test_what_it_leaves_to_others_is_counted_by_them_alone(api: Api, log: Log) -> None:
    await log.read()
    assert ask(api, bearer("A" * 43)) is None
    assert api.metric("janua_cache_requests_total", tier="memory", kind="validation", result="miss") == 0
    assert "request_completed" not in await log.read()
    await api.get("validate", "A" * 43)
    assert api.metric("janua_cache_requests_total", tier="memory", kind="validation", result="miss") == 1


async def test_it_leaves_a_trace_as_any_other(settings: Settings, view: StoreView, kept: Kept) -> None:
    async with running(settings.model_copy(update=EVERY), clock=ManualClock(), store=view) as api:
        token = await api.new_token()
        await api.get("validate", token)
        answer = ask(api, bearer(token))
        assert answer is not None
        await flush(api)
    [root] = kept.of(answer).values()
    assert root.name == f"GET {PATH}"
    assert (root.attributes or {})["janua.cache_hits"] == 1
