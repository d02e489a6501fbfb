"""The contract of roles: who sees them, who changes whose, and that it holds everywhere once it is answered."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest

from service.audit.events import AuditEvent
from service.database.tables import permissions, role_permissions, roles
from service.roles import service as role_service
from service.roles.models import MAX_ROLES
from service.settings import Settings
from service.tokens.opaque import fingerprint
from service.users.repository import Member, find_member
from tests.harness import Api, Person, bearer, problem, running
from tests.servers import Database, Redis

UNKNOWN = "0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012"
AUDITOR = ["audit:read", "metrics:read", "users:read"]


async def put(caller: Person, user: dict[str, Any], *names: str) -> Any:
    return await caller.call("PUT", f"/users/{user['id']}/roles", json={"roles": names})


async def changes(api: Api, tenant: str = "default") -> list[tuple[UUID | None, dict[str, Any]]]:
    """Whom the trail's rows about changes of roles concern, and their details."""
    rows = await api.audit_rows(tenant)
    return [(row.user_id, row.details) for row in rows if row.event_type == AuditEvent.ROLES_CHANGED]


async def test_roles_are_replaced_and_hold_at_once(api: Api) -> None:
    admin, other = await api.new_person("tenant-admin"), await api.new_person()
    path = f"/users/{other.user['id']}/roles"
    assert (await admin.call("GET", path)).json() == {"roles": ["member"], "permissions": []}
    problem(await other.call("GET", "/users"), 403, "forbidden")

    answer = await put(admin, other.user, "member", "auditor")
    expected = {"roles": ["auditor", "member"], "permissions": AUDITOR}
    assert (answer.status_code, answer.json()) == (200, expected)
    assert (await admin.call("GET", path)).json() == expected
    assert (await other.call("GET", "/auth/validate")).json()["permissions"] == AUDITOR
    assert (await other.call("GET", "/auth/me")).json() == other.user | expected
    assert (await other.call("GET", "/users")).status_code == 200

    assert (await put(admin, other.user)).json() == {"roles": [], "permissions": []}
    problem(await other.call("GET", "/users"), 403, "forbidden")
    assert (await other.call("GET", "/auth/me")).json()["roles"] == []
    subject = UUID(other.user["id"])
    assert await changes(api) == [
        (subject, {"added": ["auditor"], "removed": [], "actor_id": admin.user["id"]}),
        (subject, {"added": [], "removed": ["auditor", "member"], "actor_id": admin.user["id"]}),
    ]


async def test_every_session_of_the_user_gets_the_new_roles(api: Api) -> None:
    admin, other = await api.new_person("tenant-admin"), await api.new_person("auditor")
    tokens = [other.token, *[(await api.login(other.user["email"])).json()["access_token"] for _ in range(2)]]
    for token in tokens:
        assert (await api.get("validate", token)).json()["permissions"] == AUDITOR
    await put(admin, other.user, "member")
    for token in tokens:
        assert (await api.get("validate", token)).json()["permissions"] == []
        assert (await api.get("me", token)).json()["roles"] == ["member"]


async def test_no_change_leaves_no_row(api: Api) -> None:
    admin, other = await api.new_person("tenant-admin"), await api.new_person("auditor")
    for names in (["auditor", "member"], ["member", "auditor", "member", "auditor"]):
        answer = await put(admin, other.user, *names)
        assert (answer.status_code, answer.json()) == (200, {"roles": ["auditor", "member"], "permissions": AUDITOR})
    assert await changes(api) == []


async def test_repeating_a_change_completes_it(api: Api) -> None:
    """Whoever made it may have died before the copies were removed."""
    admin, other = await api.new_person("tenant-admin"), await api.new_person()
    answer = await put(admin, other.user, "auditor")
    token_hash = fingerprint(other.token)
    ticket = await api.app.state.cache.begin_load(token_hash)
    assert ticket is not None
    await put(admin, other.user, "auditor")
    assert answer.status_code == 200
    assert len(await changes(api)) == 1
    # Who has announced a load before may not store it any more.
    assert await api.app.state.cache.begin_load(token_hash) is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"roles": ["x" * 64]}, "roles.0"),
        ({"roles": [""]}, "roles.0"),
        ({"roles": ["member", "a\u0000b"]}, "roles.1"),
        ({"roles": ["\ud800"]}, "roles.0"),
        ({"roles": [None]}, "roles.0"),
        ({"roles": ["member"] * (MAX_ROLES + 1)}, "roles"),
        ({"roles": "member"}, "roles"),
        ({"roles": None}, "roles"),
        ({}, "roles"),
        ({"roles": [], "permissions": []}, "permissions"),
        ([], "body"),
    ],
)
async def test_malformed_roles_are_named(api: Api, body: Any, field: str) -> None:
    admin, other = await api.new_person("tenant-admin"), await api.new_person()
    headers = bearer(admin.token) | {"Content-Type": "application/json"}
    path = f"/api/v1/users/{other.user['id']}/roles"
    answer = await api.client.put(path, content=json.dumps(body).encode(), headers=headers)
    document = problem(answer, 422, "invalid-request")
    assert [error["field"] for error in document["errors"]] == [field]
    assert (await admin.call("GET", f"/users/{other.user['id']}/roles")).json()["roles"] == ["member"]


async def test_every_unknown_role_is_named(api: Api) -> None:
    admin, other = await api.new_person("tenant-admin"), await api.new_person()
    document = problem(await put(admin, other.user, "b", "member", "a"), 404, "unknown-role")
    assert document["roles"] == ["a", "b"]
    assert await changes(api) == []


async def test_nobody_gives_or_takes_beyond_their_own(api: Api) -> None:
    admin, platform = await api.new_person("tenant-admin"), await api.new_person("platform-admin")
    other = await api.new_person()
    problem(await put(admin, other.user, "member", "platform-admin"), 403, "exceeds-own-permissions")
    problem(await put(admin, admin.user, "member", "tenant-admin", "platform-admin"), 403, "exceeds-own-permissions")
    problem(await put(admin, platform.user, "member"), 403, "exceeds-own-permissions")
    assert await changes(api) == []
    # What is neither given nor taken does not matter, nor does what one has oneself.
    assert (await put(admin, platform.user, "member", "platform-admin", "auditor")).status_code == 200
    assert (await put(admin, other.user, "tenant-admin")).status_code == 200
    assert (await put(platform, other.user, "platform-admin")).status_code == 200


async def test_nobody_takes_a_role_from_themselves(api: Api) -> None:
    admin, equal = await api.new_person("tenant-admin"), await api.new_person("tenant-admin")
    for names in (["member"], ["tenant-admin"], []):
        problem(await put(admin, admin.user, *names), 409, "own-roles")
    assert (await put(admin, admin.user, "auditor", "member", "tenant-admin")).status_code == 200
    assert (await put(equal, admin.user, "member")).status_code == 200
    problem(await put(admin, equal.user, "member"), 403, "forbidden")


async def test_a_role_s_meaning_is_data(api: Api, settings: Settings, request: pytest.FixtureRequest) -> None:
    await _add_role(api, settings, request, "greeter", "greetings:write")
    admin, platform = await api.new_person("tenant-admin"), await api.new_person("platform-admin")
    other = await api.new_person()
    for caller in (admin, platform):
        problem(await put(caller, other.user, "greeter"), 403, "exceeds-own-permissions")
    greeter = await api.new_person("greeter")
    assert (await greeter.call("GET", "/auth/validate")).json()["permissions"] == ["greetings:write"]
    problem(await platform.call("PATCH", f"/users/{greeter.user['id']}", json={}), 403, "exceeds-own-permissions")


@pytest.mark.parametrize(
    ("role", "method", "permission"),
    [(None, "GET", "roles:read"), (None, "PUT", "roles:write"), ("auditor", "GET", "roles:read")],
)
async def test_each_route_needs_its_permission(api: Api, role: str | None, method: str, permission: str) -> None:
    person = await api.new_person(role)
    path = f"/users/{person.user['id']}/roles"
    options: dict[str, Any] = {} if method == "GET" else {"json": {"roles": []}}
    document = problem(await person.call(method, path, **options), 403, "forbidden")
    assert document["permission"] == permission
    problem(await api.client.request(method, f"/api/v1{path}", **options), 401, "invalid-token")


async def test_users_of_other_tenants_do_not_exist(api: Api) -> None:
    tenant = await api.new_tenant()
    admin, stranger = await api.new_person("platform-admin"), await api.new_person(tenant=tenant)
    for user in (stranger.user, {"id": UNKNOWN}):
        problem(await admin.call("GET", f"/users/{user['id']}/roles"), 404, "not-found")
        for names in (["member"], ["auditor"], ["no-such-role"]):
            problem(await put(admin, user, *names), 404, "not-found")
    assert await changes(api, tenant) == []
    problem(await admin.call("GET", "/users/42/roles"), 422, "invalid-request")
    problem(await put(admin, {"id": "42"}, "member"), 422, "invalid-request")


async def test_roles_are_given_within_the_tenant(api: Api) -> None:
    tenant = await api.new_tenant()
    admin, other = await api.new_person("tenant-admin", tenant), await api.new_person(tenant=tenant)
    assert (await put(admin, other.user, "auditor")).json()["roles"] == ["auditor"]
    [(subject, _)] = await changes(api, tenant)
    assert (subject, await changes(api)) == (UUID(other.user["id"]), [])


async def test_changes_at_once_come_one_after_the_other(api: Api) -> None:
    admin, other = await api.new_person("platform-admin"), await api.new_person()
    wanted = [["auditor"], ["tenant-admin"], ["auditor", "tenant-admin"], ["member"], []]
    answers = await asyncio.gather(*(put(admin, other.user, *names) for names in wanted))
    assert {answer.status_code for answer in answers} <= {200, 429}
    held = {"member"}
    for _, details in await changes(api):
        # Each row tells of a step from what the one before had left.
        assert held.issuperset(details["removed"])
        assert held.isdisjoint(details["added"])
        held = held - {*details["removed"]} | {*details["added"]}
    assert (await admin.call("GET", f"/users/{other.user['id']}/roles")).json()["roles"] == sorted(held)
    assert (await other.call("GET", "/auth/me")).json()["roles"] == sorted(held)


async def test_a_lost_race_is_judged_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """In between the user got a role that the caller may not take away."""
    admin, platform = await api.new_person("tenant-admin"), await api.new_person("platform-admin")
    other = await api.new_person()
    reads = 0

    async def slow(*arguments: Any) -> Member | None:
        nonlocal reads
        member = await find_member(*arguments)
        reads += 1
        if reads == 1:
            assert (await put(platform, other.user, "platform-admin")).status_code == 200
        return member

    monkeypatch.setattr(role_service, "find_member", slow)
    problem(await put(admin, other.user, "auditor"), 403, "exceeds-own-permissions")
    assert reads == 3
    assert len(await changes(api)) == 1


async def test_whoever_loses_every_race_is_told_to_come_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def outdated(*arguments: Any) -> Member | None:
        member = await find_member(*arguments)
        return member and Member(member.user, member.version - 1, member.grants)

    admin, other = await api.new_person("tenant-admin"), await api.new_person()
    monkeypatch.setattr(role_service, "find_member", outdated)
    answer = await put(admin, other.user, "auditor")
    problem(answer, 429, "too-many-requests")
    assert answer.headers["retry-after"] == "1"
    assert await changes(api) == []


async def test_a_login_at_the_same_time_gets_the_new_roles(api: Api) -> None:
    admin, other = await api.new_person("tenant-admin"), await api.new_person()
    for names in (["auditor"], ["member"], ["auditor", "member"], []) * 3:
        answer, *logins = await asyncio.gather(
            put(admin, other.user, *names), *(api.login(other.user["email"]) for _ in range(3))
        )
        assert answer.status_code == 200
        for login in logins:
            token = login.json()["access_token"]
            assert (await api.get("me", token)).json()["roles"] == sorted(names)
            assert (await api.get("validate", token)).json()["permissions"] == answer.json()["permissions"]


async def test_the_number_of_queries_does_not_depend_on_the_number_of_roles(api: Api, settings: Settings) -> None:
    admin, other = await api.new_person("platform-admin"), await api.new_person()
    # The user, the roles, the change with its audit row (on SQLite a statement each), the tokens.
    on_sqlite = settings.database_url.startswith("sqlite")
    for names, expected in (
        (["member"], "3"),
        (["member", "auditor"], "6" if on_sqlite else "4"),
        (["platform-admin", "tenant-admin"], "7" if on_sqlite else "4"),
    ):
        answer = await put(admin, other.user, *names)
        assert (answer.status_code, answer.headers["x-db-queries"]) == (200, expected)
    answer = await admin.call("GET", f"/users/{other.user['id']}/roles")
    assert answer.headers["x-db-queries"] == "1"


@pytest.mark.integration
async def test_a_change_holds_in_every_replica_when_it_is_answered(migrated: Database, redis: Redis) -> None:
    """While others keep asking, so that there is always somebody about to store what was before."""
    settings = migrated.settings(**redis.settings)
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(running(settings)) for _ in range(2)]
        admin, other = await first.new_person("tenant-admin"), await first.new_person()
        stop = asyncio.Event()
        readers = [asyncio.create_task(_read(api, other.token, stop)) for api in (first, second) * 2]
        for turn in range(60):
            names = ["auditor", "member"] if turn % 2 == 0 else ["member"]
            await asyncio.sleep(0.001 * (turn % 5))
            answer = await put(admin, other.user, *names)
            assert answer.status_code == 200
            for api in (second, first):
                validation = (await api.get("validate", other.token)).json()
                assert validation["permissions"] == answer.json()["permissions"]
                assert (await api.get("me", other.token)).json()["roles"] == names
                copy = await api.app.state.cache.get_permissions(UUID(other.user["id"]))
                assert copy is None or copy.roles == names
        stop.set()
        assert sum(await asyncio.gather(*readers)) > 60  # the readers did load


async def _read(api: Api, token: str, stop: asyncio.Event) -> int:
    """Ask until told to stop; how often the database was asked."""
    loads = 0
    while not stop.is_set():
        for name in ("validate", "me"):
            loads += int((await api.get(name, token)).headers["x-db-queries"])
    return loads


async def _add_role(api: Api, settings: Settings, request: pytest.FixtureRequest, name: str, permission: str) -> None:
    """Write a role as a migration would: the application itself may not."""
    statements = (
        permissions.insert().values(name=permission, description="Greet people"),
        roles.insert().values(name=name, description="Greets"),
        role_permissions.insert().values(role_name=name, permission_name=permission),
    )
    if settings.database_url.startswith("sqlite"):
        async with api.database.writing(None) as connection:
            for statement in statements:
                await connection.execute(statement)
        return
    database: Database = request.getfixturevalue("migrated")
    with database.connect() as owner:
        owner.execute("INSERT INTO permissions VALUES (%s, 'Greet people')", (permission,))
        owner.execute("INSERT INTO roles VALUES (%s, 'Greets')", (name,))
        owner.execute("INSERT INTO role_permissions VALUES (%s, %s)", (name, permission))
