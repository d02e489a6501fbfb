"""What the service's tests share: a running application and the requests that they make of it."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, select

from service.app import create_app
from service.cache.memory import MemoryBackend
from service.cache.protocol import CacheBackend, CacheUnavailableError, Entry, Fence, Listener, Usage
from service.clock import Clock, ManualClock
from service.database.engine import Database
from service.database.scope import Scope
from service.database.tables import audit_logs, tenants, user_roles
from service.database.types import AnyRow
from service.ids import new_id
from service.settings import Settings

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def new_email() -> str:
    """An address that no other test uses."""
    return f"user{next(_numbers)}@example.com"


@dataclass(frozen=True)
class Api:
    """The application and a client of it."""

    app: FastAPI
    client: httpx.AsyncClient

    async def signup(self, email: str, password: str = PASSWORD, tenant: str | None = None) -> httpx.Response:
        body = {"email": email, "password": password}
        return await self.client.post("/api/v1/auth/signup", json=body, headers=_tenant(tenant))

    async def login(self, email: str, password: str = PASSWORD, tenant: str | None = None) -> httpx.Response:
        body = {"email": email, "password": password}
        return await self.client.post("/api/v1/auth/login", json=body, headers=_tenant(tenant))

    async def new_token(self, email: str | None = None) -> str:
        """Sign a new user up, log in and return the access token."""
        email = email or new_email()
        assert (await self.signup(email)).status_code == 201
        return str((await self.login(email)).json()["access_token"])

    async def new_tenant(self, slug: str | None = None) -> str:
        """Write a tenant, past the API; its slug."""
        slug = slug or f"tenant-{next(_numbers)}"
        tenant_id = new_id()
        row = {"id": tenant_id, "slug": slug, "name": slug.title(), "created_at": datetime.now(UTC)}
        async with self.database.writing(Scope(tenant_id, platform=True)) as connection:
            await connection.execute(insert(tenants).values(row))
        return slug

    async def new_person(self, role: str | None = None, tenant: str = "default") -> "Person":
        """Sign a new user up, give it one more role past the API, and log in."""
        email = new_email()
        user = (await self.signup(email, tenant=tenant)).json()
        if role is not None:
            tenant_id = await self.app.state.auth.tenants.find(tenant)
            row = {"tenant_id": tenant_id, "user_id": UUID(user["id"]), "role_name": role}
            async with self.database.writing(Scope(tenant_id)) as connection:
                await connection.execute(insert(user_roles).values(row))
        return Person(self, user, (await self.login(email, tenant=tenant)).json())

    async def audit_rows(self, tenant: str = "default") -> Sequence[AnyRow]:
        """The rows of a tenant's trail in the order in which they were written."""
        tenant_id = await self.app.state.auth.tenants.find(tenant)
        statement = select(audit_logs).where(audit_logs.c.tenant_id == tenant_id).order_by(audit_logs.c.id)
        async with self.database.reading(Scope(tenant_id)) as connection:
            return (await connection.execute(statement)).all()

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    async def get(self, name: str, token: str, tenant: str | None = None) -> httpx.Response:
        return await self.client.get(f"/api/v1/auth/{name}", headers=bearer(token) | _tenant(tenant))

    async def logout(self, token: str, tenant: str | None = None) -> httpx.Response:
        return await self.client.post("/api/v1/auth/logout", headers=bearer(token) | _tenant(tenant))

    def metric(self, name: str, **labels: str) -> float | None:
        value: float | None = self.app.state.metrics.registry.get_sample_value(name, labels)
        return value


@dataclass(frozen=True)
class Person:
    """A user with a session, and the requests that it makes."""

    api: Api
    user: dict[str, Any]
    session: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.session["access_token"])

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request with the access token; `path` is what comes after `/api/v1`."""
        return await self.api.client.request(method, f"/api/v1{path}", headers=bearer(self.token), **options)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _tenant(slug: str | None) -> dict[str, str]:
    return {"X-Tenant": slug} if slug else {}


@asynccontextmanager
async def running(
    settings: Settings, *, clock: Clock | None = None, store: CacheBackend | None = None
) -> AsyncIterator[Api]:
    """An application that was started, and is stopped at the end."""
    app = create_app(settings, clock=clock, store=store)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://janua") as client,
    ):
        if isinstance(clock, ManualClock):
            # In its first lease a replica would wait for the end of that, and this clock does not go on by itself.
            clock.advance(math.ceil(2 * settings.cache_memory_lease_seconds))  # whole seconds, as tests count
            await eventually(lambda: app.state.cache._tiers.may_be_believed)
        yield Api(app, client)


async def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until the condition holds; AssertionError if it never does."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in threads, too
            await asyncio.sleep(0.01)


def put_clock_forward(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Put the running loop's clock forward once what is to take too long has begun; what begins later has all its time.

    A time that really passes would be short, and over in a machine that stands still for a moment.
    """
    loop = asyncio.get_running_loop()
    clock = loop.time
    monkeypatch.setattr(loop, "time", lambda: clock() + seconds)


def problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Assert that a response is that problem document, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document.keys() >= {"type", "title", "status", "detail", "request_id", "trace_id"}
    assert document["type"] == f"urn:janua:problem:{slug}"
    assert document["status"] == status
    assert document["request_id"] == response.headers["x-request-id"]
    return document


class SharedStore:
    """A store that several applications share, each through a view of its own that can be cut off."""

    def __init__(self, clock: ManualClock) -> None:
        self.memory = MemoryBackend(clock)
        self._views: list[StoreView] = []

    def view(self) -> "StoreView":
        view = StoreView(self)
        self._views.append(view)
        return view

    def spread(self, message: bytes) -> None:
        """Hand a message on: in the order in which they were sent, and not before whoever sent it goes on."""
        for view in self._views:
            asyncio.get_running_loop().call_soon(view.hear, message)


class StoreView:
    """One application's connection to a shared store."""

    tier = "redis"

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        self._down = False
        self._listener: Listener | None = None
        self._joined = False
        self.deaf = False
        """Whether what the others say gets lost on its way, unnoticed."""
        self.fill_gate = asyncio.Event()
        self.fill_gate.set()
        self.fills_waiting = 0
        self.removal_gate = asyncio.Event()
        self.removal_gate.set()

    @property
    def down(self) -> bool:
        return self._down

    @down.setter
    def down(self, is_down: bool) -> None:
        """Cut the connection, or let it be opened again."""
        self._down = is_down
        if is_down and self._joined and self._listener:
            self._joined = False
            self._listener.left()

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def tell(self, message: bytes) -> None:
        self._reached()
        self._store.spread(message)

    def hear(self, message: bytes) -> None:
        if self._joined and not self.deaf and self._listener:
            self._listener.heard(message)

    async def get(self, key: str) -> bytes | None:
        return await self._reached().get(key)

    async def put(self, entries: Mapping[str, Entry]) -> None:
        await self._reached().put(entries)

    async def reserve(self, mark: str, ticket: str, seconds: float) -> bool:
        return await self._reached().reserve(mark, ticket, seconds)

    async def fill(self, mark: str, ticket: str, entries: Mapping[str, Entry], fence: Fence) -> bool:
        self.fills_waiting += 1
        await self.fill_gate.wait()
        self.fills_waiting -= 1
        return await self._reached().fill(mark, ticket, entries, fence)

    async def remove(self, *keys: str) -> None:
        await self.removal_gate.wait()
        await self._reached().remove(*keys)

    async def fence_off(self, keys: Sequence[str], fence: Fence, seconds: float) -> None:
        await self._reached().fence_off(keys, fence, seconds)

    async def ping(self) -> None:
        await self._reached().ping()
        if not self._joined and self._listener:
            self._joined = True
            self._listener.joined()

    async def usage(self) -> Usage:
        return await self._reached().usage()

    async def close(self) -> None:
        """The store outlives its views."""

    def _reached(self) -> MemoryBackend:
        if self._down:
            raise CacheUnavailableError
        return self._store.memory
