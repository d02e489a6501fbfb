"""Signup and login as a client sees them."""

import json

import httpx
import pytest

from service.settings import Settings
from tests.harness import PASSWORD, Api, new_email, problem, running


async def test_signup_answers_the_user(api: Api) -> None:
    body = {"email": "Ada@Example.COM", "password": PASSWORD, "name": "Ada"}
    answer = await api.client.post("/api/v1/auth/signup", json=body)
    assert answer.status_code == 201
    user = answer.json()
    assert user.keys() == {"id", "email", "name", "tenant", "created_at"}
    assert (user["email"], user["name"], user["tenant"]) == ("ada@example.com", "Ada", "default")


async def test_an_address_is_taken_whatever_its_case(api: Api) -> None:
    await api.signup("ada@example.com")
    problem(await api.signup("ADA@example.com"), 409, "email-taken")


async def test_two_tenants_may_have_the_same_address(api: Api) -> None:
    await api.new_tenant("acme")
    first, second = await api.signup("ada@example.com"), await api.signup("ada@example.com", tenant="acme")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json()["tenant"] == "acme"
    token = (await api.login("ada@example.com", tenant="acme")).json()["access_token"]
    assert (await api.get("me", token)).json()["id"] == second.json()["id"]
    # The token is worth nothing in another tenant than its own.
    assert (await api.get("validate", token, tenant="acme")).status_code == 200
    problem(await api.get("validate", token, tenant="default"), 401, "invalid-token")
    problem(await api.get("me", token, tenant="default"), 401, "invalid-token")
    problem(await api.logout(token, tenant="default"), 401, "invalid-token")
    assert (await api.logout(token, tenant="acme")).status_code == 204


@pytest.mark.parametrize("tenant", ["nowhere", "x" * 300, "'; DROP TABLE users; --"])
async def test_an_unknown_tenant_is_not_found(api: Api, tenant: str) -> None:
    problem(await api.signup(new_email(), tenant=tenant), 404, "unknown-tenant")
    problem(await api.login(new_email(), tenant=tenant), 404, "unknown-tenant")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": PASSWORD}, "email"),
        ({"email": "no-address", "password": PASSWORD}, "email"),
        ({"email": "a@b", "password": PASSWORD}, "email"),
        ({"email": "ada@example.com"}, "password"),
        ({"email": "ada@example.com", "password": "short"}, "password"),
        ({"email": "ada@example.com", "password": "x" * 129}, "password"),
        ({"email": "ada@example.com", "password": "Password123"}, "password"),
        ({"email": "ada@example.com", "password": "lone surrogate \ud800"}, "password"),
        ({"email": "ada@example.com", "password": PASSWORD, "name": "new\nline"}, "name"),
        ({"email": "ada@example.com", "password": PASSWORD, "name": ""}, "name"),
        ({"email": "ada@example.com", "password": PASSWORD, "admin": True}, "admin"),
        ({"email": "ada@example.com", "password": PASSWORD, "\ud800": 1}, "body"),
    ],
)
async def test_a_malformed_signup_names_the_field(api: Api, body: dict[str, object], field: str) -> None:
    document = problem(await _post(api, "signup", body), 422, "invalid-request")
    assert [error["field"] for error in document["errors"]] == [field]
    assert str(body.get("password", "?")) not in str(document)


async def test_every_wrong_field_is_named_at_once(api: Api) -> None:
    document = problem(await _post(api, "login", {"email": 1, "extra": 2}), 422, "invalid-request")
    assert {error["field"] for error in document["errors"]} == {"email", "password", "extra"}


@pytest.mark.parametrize("content", [b"{", b"[]", b"", b'"text"', b"\xff\xfe"])
async def test_what_is_no_object_is_refused(api: Api, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.client.post("/api/v1/auth/login", content=content, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_login_answers_a_session(api: Api) -> None:
    created = (await api.signup("ada@example.com")).json()
    answer = await api.login("ADA@example.com")
    assert answer.status_code == 200
    session = answer.json()
    assert session.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "user"}
    assert (session["token_type"], session["expires_in"]) == ("bearer", 3600)
    assert session["user"] == created
    assert session["access_token"] != session["refresh_token"]
    assert {len(session["access_token"]), len(session["refresh_token"])} == {43}


async def test_unknown_user_and_wrong_password_look_and_cost_the_same(api: Api) -> None:
    await api.signup("ada@example.com")
    answers = []
    for email in ("ada@example.com", "nobody@example.com"):
        before = api.metric("janua_hashes_total")
        answer = await api.login(email, "a wrong password")
        document = problem(answer, 401, "invalid-credentials")
        assert api.metric("janua_hashes_total") == (before or 0) + 1
        del document["request_id"], document["trace_id"]
        answers.append((document, answer.headers["x-db-queries"], answer.headers["www-authenticate"]))
    assert answers[0] == answers[1]


async def test_a_common_password_costs_no_hash(api: Api) -> None:
    problem(await api.signup(new_email(), "password123"), 422, "invalid-request")
    assert api.metric("janua_hashes_total") == 0


async def test_past_the_deadline_hashing_is_refused_with_429(settings: Settings) -> None:
    hurried = settings.model_copy(update={"hash_deadline_seconds": 0.001, "hash_workers": 1})
    async with running(hurried) as api:
        answer = await api.login(new_email())
        problem(answer, 429, "too-many-requests")
        assert int(answer.headers["retry-after"]) >= 1
        assert api.metric("janua_hash_rejections_total") == 1


async def _post(api: Api, name: str, body: dict[str, object]) -> httpx.Response:
    """Like `client.post(json=...)`, which cannot send a lone surrogate."""
    headers = {"Content-Type": "application/json"}
    return await api.client.post(f"/api/v1/auth/{name}", content=json.dumps(body).encode(), headers=headers)
