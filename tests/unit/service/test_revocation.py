"""A revoked token is refused from the moment that its logout is answered: races and a store that fails."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from service.cache import get_cache_service
from service.cache.generation import SharedGeneration
from service.cache.service import CacheService
from service.clock import ManualClock
from service.database.tables import cache_generation
from service.sessions.repository import Identity
from service.settings import Settings
from service.tokens.opaque import fingerprint
from service.users.models import Grants, User
from tests.harness import PASSWORD, Api, Person, SharedStore, StoreView, eventually, new_email, problem, running

LEASE = 30.0


@pytest.fixture
def shared(settings: Settings) -> Settings:
    return settings.model_copy(update={"cache_lease_seconds": LEASE})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> SharedStore:
    return SharedStore(clock)


@dataclass(frozen=True)
class SlowLoad:
    """A request that has read the live session, but not stored it yet; `revoker` is another replica."""

    reader: Api
    revoker: Api
    token: str
    view: StoreView
    answer: asyncio.Task[httpx.Response]


@asynccontextmanager
async def slow_load(settings: Settings, clock: ManualClock, store: SharedStore, name: str) -> AsyncIterator[SlowLoad]:
    slow, quick = store.view(), store.view()
    async with (
        running(settings, clock=clock, store=slow) as reader,
        running(settings, clock=clock, store=quick) as revoker,
    ):
        token = await revoker.new_token()
        await revoker.app.state.cache.drop_token(fingerprint(token))
        slow.fill_gate.clear()
        loading = asyncio.create_task(reader.get(name, token))
        await eventually(lambda: slow.fills_waiting == 1)
        yield SlowLoad(reader, revoker, token, slow, loading)


@pytest.mark.parametrize("name", ["validate", "me"])
async def test_a_slow_loader_brings_no_revoked_token_back(
    shared: Settings, clock: ManualClock, store: SharedStore, name: str
) -> None:
    async with slow_load(shared, clock, store, name) as load:
        assert (await load.revoker.logout(load.token)).status_code == 204
        load.view.fill_gate.set()
        assert (await load.answer).status_code == 200  # asked before the logout was answered
        for api in (load.reader, load.revoker):
            problem(await api.get(name, load.token), 401, "invalid-token")


async def test_a_mark_that_got_lost_refuses_the_copy(shared: Settings, clock: ManualClock, store: SharedStore) -> None:
    """The store restarts empty between a logout's removal and a slow loader's storing."""
    async with slow_load(shared, clock, store, "validate") as load:
        await load.revoker.logout(load.token)
        await store.memory.close()
        load.view.fill_gate.set()
        await load.answer
        problem(await load.reader.get("validate", load.token), 401, "invalid-token")


async def test_a_logout_that_cannot_reach_the_store_holds_everywhere(
    shared: Settings, clock: ManualClock, store: SharedStore
) -> None:
    """The replica that revokes is cut off from the store, another one is not."""
    cut_off, connected = store.view(), store.view()
    async with (
        running(shared, clock=clock, store=cut_off) as revoker,
        running(shared, clock=clock, store=connected) as other,
    ):
        token = await revoker.new_token()
        cut_off.down = True
        logout = asyncio.create_task(revoker.logout(token))
        await _advanced(other)
        # The copy is still there and still believed: so the logout must not be answered yet.
        assert (await other.get("validate", token)).headers["x-db-queries"] == "0"
        assert not logout.done()
        clock.advance(LEASE)
        assert (await logout).status_code == 204
        problem(await other.get("validate", token), 401, "invalid-token")
        problem(await other.get("me", token), 401, "invalid-token")
        cut_off.down = False
        problem(await revoker.get("validate", token), 401, "invalid-token")


async def test_the_copy_stays_worthless_when_the_store_returns(
    shared: Settings, clock: ManualClock, store: SharedStore
) -> None:
    view = store.view()
    async with running(shared, clock=clock, store=view) as api:
        token, other = await api.new_token(), await api.new_token()
        view.down = True
        logout = asyncio.create_task(api.logout(token))
        await _advanced(api)
        clock.advance(LEASE)
        assert (await logout).status_code == 204
        view.down = False
        await _renewed(api)
        problem(await api.get("validate", token), 401, "invalid-token")
        # Others are loaded anew, once.
        assert [(await api.get("validate", other)).headers["x-db-queries"] for _ in range(2)] == ["1", "0"]


async def test_without_its_lease_a_replica_asks_the_database(
    shared: Settings, clock: ManualClock, store: SharedStore
) -> None:
    """As after a pause: the copy is there, but nothing says that it may still be believed."""
    async with running(shared, clock=clock, store=store.view()) as api:
        token = await api.new_token()
        assert (await api.get("validate", token)).headers["x-db-queries"] == "0"
        _generation_of(api)._believed_until = clock.monotonic()
        answer = await api.get("validate", token)
        assert (answer.status_code, answer.headers["x-db-queries"]) == (200, "1")
        assert api.metric("janua_cache_requests_total", tier="redis", kind="validation", result="error") == 1
        await _renewed(api)
        assert (await api.get("validate", token)).headers["x-db-queries"] == "0"


async def test_with_the_store_down_everything_works(shared: Settings, clock: ManualClock, store: SharedStore) -> None:
    view = store.view()
    view.down = True
    async with running(shared, clock=clock, store=view) as api:
        email = new_email()
        assert (await api.signup(email)).status_code == 201
        login = await api.login(email)
        assert login.status_code == 200
        token = login.json()["access_token"]
        for name in ("validate", "me"):
            answer = await api.get(name, token)
            assert (answer.status_code, answer.headers["x-db-queries"]) == (200, "1")
        logout = asyncio.create_task(api.logout(token))
        await _advanced(api)
        clock.advance(LEASE)
        assert (await logout).status_code == 204
        problem(await api.get("validate", token), 401, "invalid-token")
        assert (await api.app.state.cache.stats()).tiers[-1].entries is None


async def test_what_was_loaded_before_the_generation_rose_is_stored_in_vain(
    shared: Settings, clock: ManualClock, store: SharedStore
) -> None:
    async with running(shared, clock=clock, store=store.view()) as api:
        cache: CacheService = api.app.state.cache
        ticket = await cache.begin_load("hash")
        assert ticket is not None
        user = User(id=uuid4(), email="a@example.com", name=None, tenant="default", created_at=clock.now())
        identity = Identity(
            uuid4(), uuid4(), clock.now() + timedelta(hours=1), 0, user, Grants(roles=[], permissions=[])
        )
        # Elsewhere the session ends, its removal does not reach the store, and this replica learns of it.
        rising = asyncio.create_task(_generation_of(api).advance())
        await _advanced(api)
        await _renewed(api)
        await cache.finish_load(ticket, "hash", identity)
        assert await cache.get_validation("hash") is None
        clock.advance(LEASE)
        await rising


async def test_concurrent_logouts_end_one_session_once(api: Api) -> None:
    token = await api.new_token()
    answers = await asyncio.gather(*(api.logout(token) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [204, *[401] * 7]
    assert api.metric("janua_audit_rows_total", event_type="logout") == 1


async def test_the_cache_service_as_others_use_it(api: Api) -> None:
    cache = get_cache_service()
    assert cache is api.app.state.cache
    user = User(
        id=uuid4(), email="ada@example.com", name=None, tenant="acme", created_at=api.app.state.auth.clock.now()
    )
    await cache.set_user(user)
    assert await cache.get_user_by_id(user.id) == user
    assert await cache.get_user_by_email("ada@example.com", "acme") == user
    assert await cache.get_user_by_email("ada@example.com") is None  # that is another tenant's
    await cache.invalidate_user(user.id, user.email, "acme")
    assert await cache.get_user_by_id(user.id) is None
    assert await cache.get_user_by_email("ada@example.com", "acme") is None
    stats = await cache.stats()
    [tier] = stats.tiers
    users = tier.kinds["user"]
    assert (users.hits, users.misses, users.errors, users.hit_rate_percent, users.entries) == (2, 3, 0, 40, 0)
    assert stats.hit_rate_percent == 40


async def test_the_keys_are_those_of_the_contract(clock: ManualClock, shared: Settings, store: SharedStore) -> None:
    async with running(shared, clock=clock, store=store.view()) as api:
        user = (await api.signup("ada@example.com")).json()
        token_hash = fingerprint((await api.login("ada@example.com")).json()["access_token"])
        assert set(store.memory._entries) == {
            f"token:validation:{token_hash}",
            f"session:token:{token_hash}",
            f"user:id:{user['id']}",
            "user:email:default:ada@example.com",
            f"permissions:{user['id']}",
        }
        assert "argon2" not in str(store.memory._entries)
        clock.advance(300)
        await _renewed(api)
        assert await api.app.state.cache.get_validation(token_hash) is None
        assert await api.app.state.cache.get_session(token_hash) is None
        assert await api.app.state.cache.get_user_by_id(user["id"]) is not None
        clock.advance(600)
        await _renewed(api)
        assert await api.app.state.cache.get_user_by_id(user["id"]) is None
        assert await api.app.state.cache.get_permissions(user["id"]) is None


def _generation_of(api: Api) -> SharedGeneration:
    generation: SharedGeneration = api.app.state.cache._tiers.generation
    return generation


async def _renewed(api: Api) -> None:
    await _generation_of(api).refresh()


async def _advanced(api: Api) -> None:
    """Wait until a logout has raised the generation in the database."""
    async with asyncio.timeout(30):
        while True:
            async with api.app.state.database.reading() as connection:
                if (await connection.execute(select(cache_generation.c.value))).scalar_one() > 1:
                    return
            await asyncio.sleep(0.01)


async def test_who_read_a_user_for_an_ending_session_does_not_store_it(
    shared: Settings, clock: ManualClock, store: SharedStore
) -> None:
    """The session is ended, so no list of live tokens has it; its copies are not removed yet, so its ticket is good."""
    slow, stuck, quick = store.view(), store.view(), store.view()
    async with (
        running(shared, clock=clock, store=slow) as reader,
        running(shared, clock=clock, store=stuck) as ender,
        running(shared, clock=clock, store=quick) as api,
    ):
        ending = await api.new_person()
        other = Person(api, ending.user, (await api.login(ending.user["email"])).json())
        await api.app.state.cache.drop_token(fingerprint(ending.token))
        slow.fill_gate.clear()
        loading = asyncio.create_task(reader.get("me", ending.token))
        await eventually(lambda: slow.fills_waiting == 1)
        stuck.removal_gate.clear()
        logout = asyncio.create_task(ender.logout(ending.token))
        await eventually(lambda: ender.metric("janua_audit_rows_total", event_type="logout") == 1)
        assert (await other.call("PATCH", "/users/me", json={"name": "Ada"})).status_code == 200
        slow.fill_gate.set()
        await loading
        stuck.removal_gate.set()
        await logout
        assert (await other.call("GET", "/auth/me")).json()["name"] == "Ada"


@dataclass(frozen=True)
class Pair:
    """Two replicas; the one that dies commits, and removes no copy until its store's gate is opened."""

    dying: Api
    api: Api
    gate: asyncio.Event


@pytest.fixture
async def pair(shared: Settings, clock: ManualClock, store: SharedStore, tmp_path: Path) -> AsyncIterator[Pair]:
    secret = tmp_path / "signing_secret"
    secret.write_text(secrets.token_hex(32))
    both = shared.model_copy(update={"signing_secret_file": secret})
    stuck = store.view()
    async with running(both, clock=clock, store=stuck) as dying, running(both, clock=clock, store=store.view()) as api:
        yield Pair(dying, api, stuck.removal_gate)


@asynccontextmanager
async def dies_after(pair: Pair, request: Awaitable[httpx.Response], event: str) -> AsyncIterator[None]:
    """Let a request to the dying replica commit what the audit event tells of, and get no further meanwhile."""
    pair.gate.clear()
    work = asyncio.ensure_future(request)
    await eventually(lambda: bool(pair.dying.metric("janua_audit_rows_total", event_type=event)))
    try:
        yield
    finally:
        pair.gate.set()
        await work


@pytest.mark.parametrize("how", ["ended", "rotated"])
async def test_a_change_of_roles_reaches_tokens_whose_copies_a_dead_replica_left(pair: Pair, how: str) -> None:
    admin, person = await pair.api.new_person("platform-admin"), await pair.api.new_person("tenant-admin")
    assert "users:write" in (await person.call("GET", "/auth/validate")).json()["permissions"]
    body = {"refresh_token": person.session["refresh_token"]}
    if how == "ended":
        death = dies_after(pair, pair.dying.logout(person.token), "logout")
    else:
        death = dies_after(pair, pair.dying.client.post("/api/v1/auth/refresh", json=body), "token_refreshed")
    async with death:
        answer = await admin.call("PUT", f"/users/{person.user['id']}/roles", json={"roles": ["member"]})
        assert answer.status_code == 200
        problem(await person.call("GET", "/auth/validate"), 401, "invalid-token")


@pytest.mark.parametrize("path", ["logout", "logout-all", "sessions/{session_id}", "refresh"])
async def test_a_token_that_a_dead_replica_replaced_ends_with_its_session(pair: Pair, path: str) -> None:
    """The client has only the former token."""
    person = await pair.api.new_person()
    assert (await person.call("GET", "/auth/validate")).status_code == 200
    body = {"refresh_token": person.session["refresh_token"]}
    refresh = pair.dying.client.post("/api/v1/auth/refresh", json=body)
    async with dies_after(pair, refresh, "token_refreshed"):
        session_id = (await person.call("GET", "/auth/validate")).json()["session_id"]
        method = "DELETE" if path.startswith("sessions") else "POST"
        json = body if path == "refresh" else None
        answer = await person.call(method, f"/auth/{path.format(session_id=session_id)}", json=json)
        assert answer.status_code == (200 if path == "refresh" else 204)
        problem(await person.call("GET", "/auth/validate"), 401, "invalid-token")


async def test_a_token_that_a_dead_replica_replaced_ends_with_a_change_of_the_password(pair: Pair) -> None:
    """The password is changed in another session of the user, which stays."""
    person = await pair.api.new_person()
    other = Person(pair.api, person.user, (await pair.api.login(person.user["email"])).json())
    assert (await person.call("GET", "/auth/validate")).status_code == 200
    body = {"refresh_token": person.session["refresh_token"]}
    async with dies_after(pair, pair.dying.client.post("/api/v1/auth/refresh", json=body), "token_refreshed"):
        body = {"current_password": PASSWORD, "new_password": "a rather different passphrase"}
        assert (await other.call("POST", "/auth/password", json=body)).status_code == 204
        problem(await person.call("GET", "/auth/validate"), 401, "invalid-token")
        assert (await other.call("GET", "/auth/validate")).status_code == 200


async def test_a_repeated_logout_all_removes_what_a_dead_replica_left(pair: Pair) -> None:
    """Who asks again elsewhere ends all sessions there, not one."""
    person = await pair.api.new_person()
    other = (await pair.api.login(person.user["email"])).json()["access_token"]
    for token in (person.token, other):
        assert (await pair.api.get("validate", token)).status_code == 200
    header = {"Authorization": f"Bearer {other}"}
    everywhere = pair.dying.client.post("/api/v1/auth/logout-all", headers=header)
    async with dies_after(pair, everywhere, "logout_all"):
        problem(await person.call("POST", "/auth/logout-all"), 401, "invalid-token")
        for token in (person.token, other):
            problem(await pair.api.get("validate", token), 401, "invalid-token")
