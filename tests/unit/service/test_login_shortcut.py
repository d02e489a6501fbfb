"""A login does not pass the framework: what it makes of a request must be the same all the same."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from service.auth import routes, shortcut
from service.auth.service import AuthService
from tests.harness import PASSWORD, Api, new_email, problem

LOGIN = shortcut.PATH
USUAL, PASSED_ON = "application/json", "application/json; charset=utf-8"
EMAIL = "ada@example.com"
RIGHT: dict[str, Any] = {"email": EMAIL, "password": PASSWORD}
BODIES = (
    *(json.dumps(RIGHT).encode(), json.dumps(RIGHT | {"email": EMAIL.upper()}).encode()),
    *(json.dumps(RIGHT | {"password": "wrong"}).encode(), json.dumps(RIGHT | {"email": "x@example.com"}).encode()),
    *(json.dumps(RIGHT | {"more": 1}).encode(), json.dumps(RIGHT | {"password": 1}).encode()),
    *(json.dumps(RIGHT | {"email": "no address"}).encode(), json.dumps(RIGHT | {"password": ""}).encode()),
    *(json.dumps(RIGHT).encode("utf-16"), b"\xef\xbb\xbf" + json.dumps(RIGHT).encode()),
    *(b"", b"{}", b"[]", b"null", b"{", b'"x"', b"\xff", b'{"email": NaN}', b'{"email": "\\ud800", "password": "x"}'),
    b'{"email": "x", "email": "' + EMAIL.encode() + b'", "password": "' + PASSWORD.encode() + b'"}',
)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The user agents of the logins that were served without the framework."""
    agents: list[str | None] = []

    async def noting(*arguments: Any) -> Any:
        agents.append(arguments[-1])
        return await routes.log_in(*arguments)

    monkeypatch.setattr(shortcut, "log_in", noting)
    return agents


async def _log_in(api: Api, body: bytes, **headers: str) -> httpx.Response:
    return await api.client.post(LOGIN, content=body, headers=headers)


async def test_a_login_is_served_without_the_framework(api: Api, served: list[str | None]) -> None:
    await api.signup(EMAIL)
    answer = await api.login(EMAIL)
    assert answer.status_code == 200
    assert len(served) == 1
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["cache-control"] == "no-store"
    await _log_in(api, json.dumps(RIGHT).encode(), **{"content-type": PASSED_ON})
    assert len(served) == 1


@pytest.mark.parametrize("body", BODIES)
async def test_a_body_is_read_as_the_framework_reads_it(api: Api, body: bytes) -> None:
    await api.signup(EMAIL)
    mine, its = [await _log_in(api, body, **{"content-type": kind}) for kind in (USUAL, PASSED_ON)]
    assert mine.status_code == its.status_code
    assert _lasting(mine) == _lasting(its)


def _lasting(answer: httpx.Response) -> dict[str, Any]:
    """What two answers to the same request have in common."""
    found: dict[str, Any] = answer.json()
    return found | dict.fromkeys(("access_token", "refresh_token", "trace_id", "request_id"))


@pytest.mark.parametrize("tenant", ["default", "other", "", "\xe9"])
async def test_the_tenant_is_read_as_the_framework_reads_it(api: Api, tenant: str) -> None:
    await api.signup(EMAIL)
    answers = [
        await api.client.post(
            LOGIN,
            content=json.dumps(RIGHT).encode(),
            headers={b"X-Tenant": tenant.encode("latin-1"), b"Content-Type": kind.encode()},
        )
        for kind in (USUAL, PASSED_ON)
    ]
    assert answers[0].status_code == answers[1].status_code == (200 if tenant == "default" else 404)


async def test_the_user_agent_is_noted(api: Api, served: list[str | None]) -> None:
    await api.signup(EMAIL)
    answer = await _log_in(
        api, json.dumps(RIGHT).encode(), **{"content-type": USUAL, "user-agent": "Tab\tand " + "x" * 300}
    )
    assert served == ["Tab\tand " + "x" * 300]
    listed = await api.get("sessions", answer.json()["access_token"])
    assert listed.json()["items"][0]["user_agent"] == ("Taband " + "x" * 300)[:200]


@pytest.mark.parametrize("chunks", [2, 50])
async def test_a_body_in_pieces_is_put_together(api: Api, served: list[str | None], chunks: int) -> None:
    await api.signup(EMAIL)
    whole = json.dumps(RIGHT).encode()
    size = -(-len(whole) // chunks)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    for kind in (USUAL, PASSED_ON):
        answer = await api.client.post(LOGIN, content=pieces(), headers={"content-type": kind})
        assert answer.status_code == 200
    assert len(served) == 1


async def test_a_client_that_is_gone_is_the_frameworks(api: Api, served: list[str | None]) -> None:
    sent: list[Any] = []

    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": LOGIN, "headers": [(b"content-type", USUAL.encode())]}
    passed: list[Any] = []

    async def framework(_scope: Any, receive: Any, _send: Any) -> None:
        passed.append(await receive())

    route = next(route for route in api.app.state.routes if route.path == LOGIN)
    middleware = shortcut.LoginShortcut(framework, auth=api.app.state.auth, metrics=api.app.state.metrics, route=route)
    await middleware(scope, gone, send)
    assert passed == [{"type": "http.disconnect"}]
    assert not served
    assert not sent


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (OperationalError("SELECT", {}, Exception("away")), 503, "database-unavailable"),
        (ZeroDivisionError(), 500, "internal-error"),
    ],
)
async def test_errors_are_problem_documents(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, name: str
) -> None:
    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(AuthService, "login", fail)
    problem(await api.login(new_email()), status, name)


async def test_it_is_measured_as_its_route(api: Api) -> None:
    await api.signup(EMAIL)
    for password in (PASSWORD, "wrong", "wrong"):
        await api.login(EMAIL, password)
    for status, count in (("200", 1), ("401", 2)):
        assert api.metric("janua_request_latency_milliseconds_count", method="POST", path=LOGIN, status=status) == count
