"""What every route costs in queries, and that it costs no more with more rows."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.harness import PASSWORD, Api, Person, new_email

MORE = 12
# The most that a route may ask, a cold cache included: SQLite, where a change and its audit row are two statements.
BUDGET = 5


@dataclass
class World:
    """Everybody whom the walk needs."""

    api: Api
    admin: Person
    person: Person

    async def fresh(self) -> Person:
        """Somebody who is expendable."""
        return await self.api.new_person()


Call = Callable[[World], Awaitable[httpx.Response]]


def as_admin(method: str, path: str, **options: Any) -> Call:
    async def call(world: World) -> httpx.Response:
        return await world.admin.call(method, path.format(user_id=world.person.user["id"]), **options)

    return call


def as_fresh(method: str, path: str, **options: Any) -> Call:
    async def call(world: World) -> httpx.Response:
        return await (await world.fresh()).call(method, path, **options)

    return call


async def _refresh(world: World) -> httpx.Response:
    person = await world.fresh()
    body = {"refresh_token": person.session["refresh_token"]}
    return await world.api.client.post("/api/v1/auth/refresh", json=body)


async def _end_session(world: World) -> httpx.Response:
    person = await world.fresh()
    [session] = (await person.call("GET", "/auth/sessions")).json()["items"]
    return await person.call("DELETE", f"/auth/sessions/{session['id']}")


async def _introspect(world: World) -> httpx.Response:
    return await world.admin.call("POST", "/auth/introspect", data={"token": world.person.token})


async def _signup(world: World) -> httpx.Response:
    return await world.api.signup(new_email())


async def _login(world: World) -> httpx.Response:
    return await world.api.login(world.person.user["email"])


async def _create_tenant(world: World) -> httpx.Response:
    slug = new_email().partition("@")[0]
    admin = {"email": new_email(), "password": PASSWORD}
    return await world.admin.call("POST", "/tenants", json={"slug": slug, "name": "New", "admin": admin})


def _public(path: str) -> Call:
    async def call(world: World) -> httpx.Response:
        return await world.api.client.get(path)

    return call


WALK: Mapping[tuple[str, str], Call] = {
    ("post", "/api/v1/auth/signup"): _signup,
    ("post", "/api/v1/auth/login"): _login,
    ("post", "/api/v1/auth/refresh"): _refresh,
    ("post", "/api/v1/auth/logout"): as_fresh("POST", "/auth/logout"),
    ("post", "/api/v1/auth/logout-all"): as_fresh("POST", "/auth/logout-all"),
    ("post", "/api/v1/auth/password"): as_fresh(
        "POST", "/auth/password", json={"current_password": PASSWORD, "new_password": "a different passphrase"}
    ),
    ("get", "/api/v1/auth/sessions"): as_admin("GET", "/auth/sessions"),
    ("delete", "/api/v1/auth/sessions/{session_id}"): _end_session,
    ("get", "/api/v1/auth/me"): as_admin("GET", "/auth/me"),
    ("get", "/api/v1/auth/validate"): as_admin("GET", "/auth/validate"),
    ("post", "/api/v1/auth/introspect"): _introspect,
    ("post", "/api/v1/auth/jwt"): as_admin("POST", "/auth/jwt"),
    ("patch", "/api/v1/users/me"): as_fresh("PATCH", "/users/me", json={"name": "New"}),
    ("get", "/api/v1/users"): as_admin("GET", "/users", params={"limit": 200}),
    ("get", "/api/v1/users/{user_id}"): as_admin("GET", "/users/{user_id}"),
    ("patch", "/api/v1/users/{user_id}"): as_admin("PATCH", "/users/{user_id}", json={"name": "New"}),
    ("get", "/api/v1/users/{user_id}/roles"): as_admin("GET", "/users/{user_id}/roles"),
    ("put", "/api/v1/users/{user_id}/roles"): as_admin(
        "PUT", "/users/{user_id}/roles", json={"roles": ["member", "auditor"]}
    ),
    ("get", "/api/v1/tenants"): as_admin("GET", "/tenants", params={"limit": 200}),
    ("post", "/api/v1/tenants"): _create_tenant,
    ("get", "/api/v1/audit-logs"): as_admin("GET", "/audit-logs", params={"limit": 200}),
    ("get", "/api/v1/cache/stats"): as_admin("GET", "/cache/stats"),
    ("get", "/.well-known/jwks.json"): _public("/.well-known/jwks.json"),
    ("get", "/livez"): _public("/livez"),
    ("get", "/readyz"): _public("/readyz"),
}


async def walk(world: World) -> dict[tuple[str, str], int]:
    costs = {}
    for route, call in WALK.items():
        answer = await call(world)
        assert answer.is_success, (route, answer.text)
        costs[route] = int(answer.headers["x-db-queries"])
    return costs


def test_the_walk_knows_every_route(api: Api) -> None:
    paths = api.app.openapi()["paths"]
    assert WALK.keys() == {(method, path) for path, methods in paths.items() for method in methods}


async def test_no_route_asks_more_queries_for_more_rows(api: Api) -> None:
    world = World(api, await api.new_person("platform-admin"), await api.new_person())
    await walk(world)  # what is loaded once for the process is loaded now
    few = await walk(world)
    for _ in range(MORE):
        await _create_tenant(world)
        for owner in (world.admin, world.person):
            assert (await api.login(owner.user["email"])).status_code == 200
        await api.new_person()
    many = await walk(world)
    assert many == few
    assert max(many.values()) <= BUDGET
    assert many["get", "/api/v1/auth/validate"] == many["get", "/api/v1/auth/me"] == 0
