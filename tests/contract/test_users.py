"""The contract of users: changing oneself, seeing and changing others of the same tenant."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from service.audit.events import AuditEvent
from service.database.scope import Scope
from service.database.tables import users
from service.ids import new_id
from service.settings import Settings
from service.users import service as user_service
from service.users.repository import Member, find_member
from tests.harness import Api, Person, bearer, new_email, problem

UNKNOWN = "0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012"


async def insert_users(api: Api, number: int, tenant: str = "default") -> list[str]:
    """Write users past the API, which would hash a password for each; their ids."""
    tenant_id = await api.app.state.auth.tenants.find(tenant)
    now = datetime.now(UTC)
    rows = [
        {"id": new_id(), "tenant_id": tenant_id, "email": new_email(), "password_hash": "x"}
        | {"created_at": now, "updated_at": now}
        for _ in range(number)
    ]
    async with api.database.writing(Scope(tenant_id)) as connection:
        await connection.execute(insert(users).values(rows))
    return [str(row["id"]) for row in rows]


async def updates(api: Api, tenant: str = "default") -> list[tuple[UUID | None, dict[str, Any]]]:
    """Whom the trail's rows about changes of users concern, and their details."""
    rows = await api.audit_rows(tenant)
    return [(row.user_id, row.details) for row in rows if row.event_type == AuditEvent.USER_UPDATED]


async def test_one_changes_one_s_own_name_and_address(api: Api) -> None:
    person = await api.new_person()
    email = new_email()
    answer = await person.call("PATCH", "/users/me", json={"name": "Ada Lovelace", "email": email.upper()})
    assert (answer.status_code, answer.json()) == (200, person.user | {"name": "Ada Lovelace", "email": email})
    profile = (await person.call("GET", "/auth/me")).json()
    assert (profile["name"], profile["email"]) == ("Ada Lovelace", email)
    assert (await api.login(email)).json()["user"] == answer.json()
    problem(await api.login(person.user["email"]), 401, "invalid-credentials")
    subject = UUID(person.user["id"])
    assert await updates(api) == [(subject, {"fields": ["email", "name"], "actor_id": str(subject)})]


async def test_null_takes_the_name_away_and_leaves_the_rest(api: Api) -> None:
    person = await api.new_person()
    await person.call("PATCH", "/users/me", json={"name": "Ada"})
    answer = await person.call("PATCH", "/users/me", json={"name": None})
    assert answer.json() == person.user | {"name": None}
    assert (await person.call("GET", "/auth/me")).json()["name"] is None


async def test_an_empty_object_changes_nothing(api: Api) -> None:
    admin, other = await api.new_person("tenant-admin"), await api.new_person()
    answer = await admin.call("PATCH", "/users/me", json={})
    assert (answer.status_code, answer.json()) == (200, admin.user)
    answer = await admin.call("PATCH", f"/users/{other.user['id']}", json={})
    assert (answer.status_code, answer.json()) == (200, other.user)
    assert await updates(api) == []


async def test_the_same_values_again_are_a_change(api: Api) -> None:
    person = await api.new_person()
    values = {"name": "Ada", "email": person.user["email"]}
    for _ in range(2):
        answer = await person.call("PATCH", "/users/me", json=values)
        assert (answer.status_code, answer.json()) == (200, person.user | values)
    assert len(await updates(api)) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": None}, "email"),
        ({"email": "no-address"}, "email"),
        ({"email": "\u0000@example.com"}, "email"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": 1}, "name"),
        ({"tenant": "acme"}, "tenant"),
        ({"id": UNKNOWN}, "id"),
        ([], "body"),
    ],
)
async def test_malformed_changes_name_the_field(api: Api, body: Any, field: str) -> None:
    admin = await api.new_person("tenant-admin")
    headers = bearer(admin.token) | {"Content-Type": "application/json"}
    for path in ("me", admin.user["id"]):
        # Not json=: that could not send a lone surrogate.
        content = json.dumps(body).encode()
        answer = await api.client.patch(f"/api/v1/users/{path}", content=content, headers=headers)
        document = problem(answer, 422, "invalid-request")
        # One field may be wrong in the eyes of each kind that it can be of.
        assert {error["field"].partition(".")[0] for error in document["errors"]} == {field}
    assert await updates(api) == []


async def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    person = await api.new_person()
    headers = bearer(person.token) | {"Content-Type": "application/json"}
    answer = await api.client.patch("/api/v1/users/me", content=b"{", headers=headers)
    problem(answer, 422, "invalid-request")


async def test_an_address_that_is_taken_is_a_conflict(api: Api) -> None:
    admin, other = await api.new_person("tenant-admin"), await api.new_person()
    taken = {"email": other.user["email"].upper()}
    problem(await admin.call("PATCH", "/users/me", json=taken), 409, "email-taken")
    third = await api.new_person()
    problem(await admin.call("PATCH", f"/users/{third.user['id']}", json=taken), 409, "email-taken")
    assert (await admin.call("GET", "/auth/me")).json()["email"] == admin.user["email"]
    assert await updates(api) == []


async def test_an_address_of_another_tenant_is_free(api: Api) -> None:
    tenant = await api.new_tenant()
    here, there = await api.new_person(), await api.new_person(tenant=tenant)
    answer = await there.call("PATCH", "/users/me", json={"email": here.user["email"]})
    assert (answer.status_code, answer.json()["tenant"]) == (200, tenant)


async def test_of_many_who_want_an_address_at_once_one_gets_it(api: Api) -> None:
    people = [await api.new_person() for _ in range(5)]
    wanted = {"email": new_email()}
    answers = await asyncio.gather(*(person.call("PATCH", "/users/me", json=wanted) for person in people))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert len(await updates(api)) == 1


async def test_of_changes_at_once_none_is_lost(api: Api) -> None:
    person = await api.new_person()
    email = new_email()
    changes: list[dict[str, str]] = [{"name": "Ada"}, {"email": email}]
    answers = await asyncio.gather(*(person.call("PATCH", "/users/me", json=change) for change in changes))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await person.call("PATCH", "/users/me", json={})).json() == person.user | {"name": "Ada", "email": email}


async def test_whoever_loses_every_race_is_told_to_come_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def outdated(*arguments: Any) -> Member | None:
        member = await find_member(*arguments)
        return member and Member(member.user, member.version - 1, member.grants)

    person = await api.new_person()
    monkeypatch.setattr(user_service, "find_member", outdated)
    answer = await person.call("PATCH", "/users/me", json={"name": "Ada"})
    problem(answer, 429, "too-many-requests")
    assert answer.headers["retry-after"] == "1"
    assert await updates(api) == []


async def test_an_administrator_changes_a_user(api: Api) -> None:
    admin, other = await api.new_person("tenant-admin"), await api.new_person()
    path = f"/users/{other.user['id']}"
    changed = other.user | {"name": "Grace", "email": new_email()}
    body = {"name": "Grace", "email": changed["email"]}
    answer = await admin.call("PATCH", path, json=body)
    assert (answer.status_code, answer.json()) == (200, changed)
    assert (await admin.call("GET", path)).json() == changed
    # The user's own session goes on, and sees what was changed.
    assert (await other.call("GET", "/auth/me")).json()["name"] == "Grace"
    expected = {"fields": ["email", "name"], "actor_id": admin.user["id"]}
    assert await updates(api) == [(UUID(other.user["id"]), expected)]


async def test_who_has_more_permissions_is_out_of_reach(api: Api) -> None:
    admin, platform = await api.new_person("tenant-admin"), await api.new_person("platform-admin")
    for body in ({"email": new_email()}, {}):
        answer = await admin.call("PATCH", f"/users/{platform.user['id']}", json=body)
        problem(answer, 403, "exceeds-own-permissions")
    assert await updates(api) == []
    answer = await platform.call("PATCH", f"/users/{admin.user['id']}", json={"name": "Grace"})
    assert answer.json()["name"] == "Grace"
    # One's equals, and oneself.
    equal = await api.new_person("tenant-admin")
    for user in (equal.user, admin.user):
        assert (await admin.call("PATCH", f"/users/{user['id']}", json={"name": "Joan"})).status_code == 200


@pytest.mark.parametrize(
    ("role", "method", "path", "permission"),
    [
        (None, "GET", "/users", "users:read"),
        (None, "GET", f"/users/{UNKNOWN}", "users:read"),
        (None, "PATCH", f"/users/{UNKNOWN}", "users:write"),
        ("auditor", "PATCH", f"/users/{UNKNOWN}", "users:write"),
    ],
)
async def test_each_route_needs_its_permission(
    api: Api, role: str | None, method: str, path: str, permission: str
) -> None:
    person = await api.new_person(role)
    document = problem(await person.call(method, path, **_body(method)), 403, "forbidden")
    assert document["permission"] == permission
    problem(await api.client.request(method, f"/api/v1{path}", **_body(method)), 401, "invalid-token")


async def test_without_a_session_nobody_is_me(api: Api) -> None:
    problem(await api.client.patch("/api/v1/users/me", json={"name": "Ada"}), 401, "invalid-token")
    person = await api.new_person()
    headers = bearer(person.token) | {"X-Tenant": await api.new_tenant()}
    problem(await api.client.patch("/api/v1/users/me", json={"name": "Ada"}, headers=headers), 401, "invalid-token")


async def test_users_of_other_tenants_do_not_exist(api: Api) -> None:
    tenant = await api.new_tenant()
    admin, stranger = await api.new_person("platform-admin"), await api.new_person(tenant=tenant)
    for user_id in (stranger.user["id"], UNKNOWN):
        for method in ("GET", "PATCH"):
            problem(await admin.call(method, f"/users/{user_id}", **_body(method)), 404, "not-found")
    assert await updates(api, tenant) == []
    ids = [user["id"] for user in await _all(admin, 200)]
    assert ids == [admin.user["id"]]


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_a_malformed_id_is_refused(api: Api, method: str) -> None:
    admin = await api.new_person("tenant-admin")
    document = problem(await admin.call(method, "/users/42", **_body(method)), 422, "invalid-request")
    assert [error["field"] for error in document["errors"]] == ["user_id"]


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"cursor": "abc"}, {"cursor": "!"}, {"cursor": ""}]
)
async def test_a_malformed_page_is_refused(api: Api, params: dict[str, str]) -> None:
    admin = await api.new_person("tenant-admin")
    document = problem(await admin.call("GET", "/users", params=params), 422, "invalid-request")
    assert [error["field"] for error in document["errors"]] == [*params]


async def test_pages_hold_everybody_once_while_people_sign_up(api: Api) -> None:
    admin = await api.new_person("tenant-admin")
    there = [admin.user["id"], *await insert_users(api, 10)]
    await insert_users(api, 3, await api.new_tenant())
    seen, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await admin.call("GET", "/users", params=params)).json()
        assert len(page["items"]) <= 3
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        if len(seen) < 9:
            there += await insert_users(api, 1)
    ids = [user["id"] for user in seen]
    assert ids == sorted(there)
    assert seen[0] == admin.user


async def test_a_page_that_ends_the_list_says_so(api: Api) -> None:
    admin = await api.new_person("tenant-admin")
    await insert_users(api, 1)
    page = (await admin.call("GET", "/users", params={"limit": 2})).json()
    assert (len(page["items"]), page["next_cursor"]) == (2, None)


async def test_the_number_of_queries_does_not_depend_on_the_number_of_users(api: Api, settings: Settings) -> None:
    admin = await api.new_person("tenant-admin")
    for number in (1, 150):
        await insert_users(api, number)
        answer = await admin.call("GET", "/users", params={"limit": 200})
        assert answer.headers["x-db-queries"] == "1"
    assert len(answer.json()["items"]) == 152
    other = f"/users/{answer.json()['items'][-1]['id']}"
    assert (await admin.call("GET", other)).headers["x-db-queries"] == "1"
    # The user, the change with its audit row (two statements on SQLite), and the tokens whose copies must go.
    answer = await admin.call("PATCH", other, json={"name": "Ada"})
    on_sqlite = settings.database_url.startswith("sqlite")
    assert answer.headers["x-db-queries"] == ("4" if on_sqlite else "3")


async def test_no_copy_in_the_cache_is_older_than_the_answer(api: Api) -> None:
    person = await api.new_person()
    cache, email = api.app.state.cache, new_email()
    user_id = UUID(person.user["id"])
    assert await cache.get_user_by_id(user_id) is not None
    await person.call("PATCH", "/users/me", json={"email": email})
    for copy in (
        await cache.get_user_by_id(user_id),
        await cache.get_user_by_email(person.user["email"]),
        await cache.get_user_by_email(email),
    ):
        assert copy is None
    await person.call("GET", "/auth/me")
    assert (await cache.get_user_by_email(email)).id == user_id


async def _all(person: Person, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await person.call("GET", "/users", params={"limit": limit})).json()["items"]
    return items


def _body(method: str) -> dict[str, Any]:
    return {} if method == "GET" else {"json": {"name": "Ada"}}
