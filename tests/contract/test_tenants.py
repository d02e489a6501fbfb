"""The contract of tenants: the platform's administrators see all of them and make new ones."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from service.audit.events import AuditEvent
from service.settings import Settings
from tests.harness import PASSWORD, Api, Person, bearer, new_email, problem, running


@pytest.fixture
async def platform(api: Api) -> Person:
    return await api.new_person("platform-admin")


def of(slug: str | None, **others: Any) -> dict[str, Any]:
    return {"slug": slug, "name": "Acme Inc.", **others}


async def create(caller: Person, body: dict[str, Any]) -> dict[str, Any]:
    answer = await caller.call("POST", "/tenants", json=body)
    assert answer.status_code == 201, answer.text
    tenant: dict[str, Any] = answer.json()
    return tenant


async def events(api: Api, tenant: str, *wanted: AuditEvent) -> list[tuple[str, UUID | None, dict[str, Any]]]:
    rows = await api.audit_rows(tenant)
    return [(row.event_type, row.user_id, row.details) for row in rows if row.event_type in wanted]


async def test_a_tenant_is_made_and_people_sign_up_in_it(api: Api, platform: Person) -> None:
    problem(await api.signup(new_email(), tenant="acme"), 404, "unknown-tenant")
    tenant = await create(platform, of("acme"))
    assert tenant.keys() == {"id", "slug", "name", "created_at"}
    assert (tenant["slug"], tenant["name"]) == ("acme", "Acme Inc.")
    assert (await api.signup(new_email(), tenant="acme")).json()["tenant"] == "acme"
    expected = {"slug": "acme", "id": tenant["id"]}
    assert await events(api, "default", AuditEvent.TENANT_CREATED) == [
        ("tenant_created", UUID(platform.user["id"]), expected)
    ]
    assert await events(api, "acme", AuditEvent.TENANT_CREATED, AuditEvent.ADMIN_CREATED) == []


async def test_the_first_administrator_comes_with_the_tenant(api: Api, platform: Person) -> None:
    admin = {"email": "Ada@Acme.example.com", "password": PASSWORD, "name": "Ada"}
    tenant = await create(platform, of("acme", admin=admin))
    session = (await api.login("ada@acme.example.com", tenant="acme")).json()
    ada = Person(api, session["user"], session)
    assert {key: ada.user[key] for key in ("email", "name", "tenant")} == {
        "email": "ada@acme.example.com",
        "name": "Ada",
        "tenant": "acme",
    }
    assert (await ada.call("GET", "/auth/me")).json()["roles"] == ["tenant-admin"]
    assert [user["id"] for user in (await ada.call("GET", "/users")).json()["items"]] == [ada.user["id"]]
    problem(await ada.call("GET", "/tenants"), 403, "forbidden")
    # Each in its own tenant's trail.
    wanted = (AuditEvent.TENANT_CREATED, AuditEvent.ADMIN_CREATED)
    made = ("tenant_created", UUID(platform.user["id"]), {"slug": "acme", "id": tenant["id"]})
    assert await events(api, "default", *wanted) == [made]
    hired = ("admin_created", UUID(ada.user["id"]), {"actor_id": platform.user["id"]})
    assert await events(api, "acme", *wanted) == [hired]


async def test_no_administrator_is_one_too(api: Api, platform: Person) -> None:
    assert (await create(platform, of("acme", admin=None)))["slug"] == "acme"


async def test_a_slug_that_is_taken_is_a_conflict(api: Api, platform: Person) -> None:
    await create(platform, of("acme"))
    admin = {"email": new_email(), "password": PASSWORD}
    for body in (of("acme"), of("default"), of("acme", admin=admin)):
        problem(await platform.call("POST", "/tenants", json=body), 409, "slug-taken")
    # Nothing is left of the attempt with an administrator.
    problem(await api.login(admin["email"], tenant="acme"), 401, "invalid-credentials")
    assert len(await events(api, "default", AuditEvent.TENANT_CREATED)) == 1
    assert await events(api, "acme", AuditEvent.ADMIN_CREATED) == []


async def test_of_many_who_want_a_slug_at_once_one_gets_it(api: Api, platform: Person) -> None:
    bodies = [of("acme"), *(of("acme", admin={"email": new_email(), "password": PASSWORD}) for _ in range(3))]
    answers = await asyncio.gather(*(platform.call("POST", "/tenants", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(await events(api, "default", AuditEvent.TENANT_CREATED)) == 1


@pytest.mark.parametrize("slug", ["a", "0", "a-b", "a--b", "x" * 63])
async def test_slugs_that_are_allowed(platform: Person, slug: str) -> None:
    assert (await create(platform, of(slug)))["slug"] == slug


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *((of(slug), "slug") for slug in ("", "A", "-a", "a-", "a_b", "a b", "ä", "x" * 64, "a\n", "a\u0000", None)),
        ({"slug": "acme"}, "name"),
        ({"slug": "acme", "name": ""}, "name"),
        ({"slug": "acme", "name": "x" * 201}, "name"),
        ({"slug": "acme", "name": "a\u0000"}, "name"),
        ({"slug": "acme", "name": "\ud800"}, "name"),
        ({"name": "Acme"}, "slug"),
        (of("acme", id="1"), "id"),
        (of("acme", admin={"email": "ada@example.com"}), "admin.password"),
        (of("acme", admin={"email": "ada@example.com", "password": "short"}), "admin.password"),
        (of("acme", admin={"email": "ada@example.com", "password": "Password123"}), "admin.password"),
        (of("acme", admin={"email": "ada", "password": PASSWORD}), "admin.email"),
        (of("acme", admin={"email": "ada@example.com", "password": PASSWORD, "role": "member"}), "admin.role"),
    ],
)
async def test_malformed_tenants_name_the_field(api: Api, platform: Person, body: Any, field: str) -> None:
    headers = bearer(platform.token) | {"Content-Type": "application/json"}
    answer = await api.client.post("/api/v1/tenants", content=json.dumps(body).encode(), headers=headers)
    document = problem(answer, 422, "invalid-request")
    assert [error["field"] for error in document["errors"]] == [field]
    assert [tenant["slug"] for tenant in (await platform.call("GET", "/tenants")).json()["items"]] == ["default"]


@pytest.mark.parametrize(
    ("role", "method", "permission"),
    [(None, "GET", "tenants:read"), ("tenant-admin", "GET", "tenants:read"), ("tenant-admin", "POST", "tenants:write")],
)
async def test_each_route_needs_its_permission(api: Api, role: str | None, method: str, permission: str) -> None:
    person = await api.new_person(role)
    options: dict[str, Any] = {} if method == "GET" else {"json": of("acme")}
    document = problem(await person.call(method, "/tenants", **options), 403, "forbidden")
    assert document["permission"] == permission
    problem(await api.client.request(method, "/api/v1/tenants", **options), 401, "invalid-token")


async def test_past_the_deadline_hashing_is_refused_and_nothing_is_made(settings: Settings) -> None:
    async with running(settings) as patient:
        platform = await patient.new_person("platform-admin")
    hurried = settings.model_copy(update={"hash_deadline_seconds": 0.001, "hash_workers": 1})
    async with running(hurried) as api:
        person = Person(api, platform.user, platform.session)
        body = of("acme", admin={"email": new_email(), "password": PASSWORD})
        answer = await person.call("POST", "/tenants", json=body)
        problem(answer, 429, "too-many-requests")
        assert int(answer.headers["retry-after"]) >= 1
        assert await events(api, "default", AuditEvent.TENANT_CREATED) == []
        assert (await create(person, of("acme")))["slug"] == "acme"


async def test_pages_hold_every_tenant_once_while_new_ones_are_made(api: Api, platform: Person) -> None:
    there = {"default", *[await api.new_tenant() for _ in range(7)]}
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await platform.call("GET", "/tenants", params=params)).json()
        assert len(page["items"]) <= 3
        seen += [tenant["slug"] for tenant in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        if len(there) < 10:
            there.add(await api.new_tenant())
    assert len(seen) == len(set(seen))
    assert set(seen) == there


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "201"}, {"cursor": "abc"}])
async def test_a_malformed_page_is_refused(platform: Person, params: dict[str, str]) -> None:
    document = problem(await platform.call("GET", "/tenants", params=params), 422, "invalid-request")
    assert [error["field"] for error in document["errors"]] == [*params]


async def test_queries_are_few(api: Api, platform: Person, settings: Settings) -> None:
    for number in (1, 20):
        for _ in range(number):
            await api.new_tenant()
        assert (await platform.call("GET", "/tenants")).headers["x-db-queries"] == "1"
    on_sqlite = settings.database_url.startswith("sqlite")
    answer = await platform.call("POST", "/tenants", json=of("one"))
    assert answer.headers["x-db-queries"] == ("2" if on_sqlite else "1")
    admin = {"email": new_email(), "password": PASSWORD}
    answer = await platform.call("POST", "/tenants", json=of("two", admin=admin))
    assert answer.headers["x-db-queries"] == ("5" if on_sqlite else "2")
