"""The contract of accounts: signing up, logging in, the lock-out and the password."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, update

from service.clock import ManualClock
from service.database.scope import Scope
from service.database.tables import login_failures, users
from service.settings import Settings
from tests.harness import PASSWORD, Api, Person, new_email, problem, running

NEW_PASSWORD = "a rather different passphrase"
LIMIT, WINDOW = 10, 900


async def password_change(person: Person, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Any:
    return await person.call("POST", "/auth/password", json={"current_password": current, "new_password": new})


async def hashes(api: Api) -> float:
    count = api.metric("janua_hashes_total")
    assert count is not None
    return count


async def test_ten_failures_lock_an_account(settings: Settings) -> None:
    clock = ManualClock()
    async with running(settings, clock=clock) as api:
        email = new_email()
        await api.signup(email)
        for _ in range(LIMIT - 1):
            problem(await api.login(email, "a wrong password"), 401, "invalid-credentials")
        assert (await api.login(email)).status_code == 200
        problem(await api.login(email, "a wrong password"), 401, "invalid-credentials")
        locked = problem(await api.login(email), 401, "invalid-credentials")
        # The window counts from the first failure, and nothing makes it longer.
        clock.advance(WINDOW - 1)
        problem(await api.login(email), 401, "invalid-credentials")
        clock.advance(1)
        assert (await api.login(email)).status_code == 200
        reasons = [row.details["reason"] for row in await api.audit_rows() if row.event_type == "login_failure"]
        assert reasons == ["wrong_password"] * LIMIT + ["locked"] * 2
        unknown = problem(await api.login(new_email()), 401, "invalid-credentials")
        for name in ("type", "title", "detail", "status"):
            assert locked[name] == unknown[name]


async def fail(api: Api, email: str, times: int) -> None:
    for _ in range(times):
        problem(await api.login(email, "a wrong password"), 401, "invalid-credentials")


@dataclass(frozen=True)
class Window:
    """Failures of an address, the first of them so many seconds after the start."""

    failures: int
    began: int = 0


@pytest.mark.parametrize(
    ("former", "new", "locked_until"),
    [
        (Window(LIMIT), Window(0), WINDOW),
        (Window(3), Window(LIMIT), WINDOW),
        (Window(LIMIT), Window(1, began=600), 600 + WINDOW),
        (Window(1, began=600), Window(LIMIT), 600 + WINDOW),
        (Window(LIMIT), Window(1, began=WINDOW), 0),
        (Window(1, began=WINDOW), Window(LIMIT), 0),
    ],
    ids=["none there", "more there", "later there", "earlier there", "former is over", "other is over"],
)
async def test_failures_follow_a_user_to_another_address(
    settings: Settings, former: Window, new: Window, locked_until: int
) -> None:
    """Of two windows that have not ended the new address has the larger count and the later beginning."""
    clock = ManualClock()
    async with running(settings, clock=clock) as api:
        person, email = await api.new_person(), new_email()
        now = 0
        for address, window in sorted([(person.user["email"], former), (email, new)], key=lambda each: each[1].began):
            clock.advance(window.began - now)
            now = window.began
            await fail(api, address, window.failures)
        assert (await person.call("PATCH", "/users/me", json={"email": email})).status_code == 200
        if locked_until:
            clock.advance(locked_until - now - 1)
            problem(await api.login(email), 401, "invalid-credentials")
            clock.advance(1)
        assert (await api.login(email)).status_code == 200


async def test_another_address_buys_no_more_guesses_of_the_password(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that is taken while the guesses are being verified."""
    person = await api.new_person()
    passwords = api.app.state.auth.passwords
    verify = passwords.verify

    async def verify_late(password_hash: str | None, password: str) -> bool:
        right = bool(await verify(password_hash, password))
        assert (await person.call("PATCH", "/users/me", json={"email": new_email()})).status_code == 200
        return right

    monkeypatch.setattr(passwords, "verify", verify_late)
    for _ in range(LIMIT):
        problem(await password_change(person, "a wrong password"), 401, "invalid-credentials")
    monkeypatch.undo()
    problem(await password_change(person), 401, "invalid-credentials")


async def test_guesses_at_once_have_ten_tries_together(api: Api) -> None:
    """However they race: once ten failures are committed the right password does not help."""
    email = new_email()
    await api.signup(email)
    answers = await asyncio.gather(*(api.login(email, f"wrong password {n}") for n in range(25)))
    assert {answer.status_code for answer in answers} == {401}
    problem(await api.login(email), 401, "invalid-credentials")
    async with api.database.reading(Scope(await api.app.state.auth.tenants.find("default"))) as connection:
        counted = (await connection.execute(select(login_failures.c.failures))).scalars().all()
    assert counted == [26]


async def test_a_right_password_does_not_help_who_guesses_beside_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten failures are committed after the account was read: they decide when the password is changed."""
    person = await api.new_person()
    passwords = api.app.state.auth.passwords
    hash_password = passwords.hash

    async def hash_late(password: str) -> str:
        for number in range(LIMIT):
            await password_change(person, f"wrong password {number}")
        return str(await hash_password(password))

    monkeypatch.setattr(passwords, "hash", hash_late)
    problem(await password_change(person), 401, "invalid-credentials")


async def test_logins_at_once_do_not_lock(api: Api) -> None:
    email = new_email()
    await api.signup(email)
    answers = await asyncio.gather(*(api.login(email) for _ in range(25)))
    assert {answer.status_code for answer in answers} == {200}
    tokens = [answer.json()["access_token"] for answer in answers]
    assert {(await api.get("validate", token)).status_code for token in tokens} == {200}


async def test_an_account_is_locked_in_its_tenant_only(api: Api) -> None:
    slug, email = await api.new_tenant(), new_email()
    await api.signup(email)
    await api.signup(email, tenant=slug)
    for _ in range(LIMIT):
        await api.login(email, "a wrong password", tenant=slug)
    problem(await api.login(email, tenant=slug), 401, "invalid-credentials")
    assert (await api.login(email)).status_code == 200
    # Whatever the case in which the address is written.
    for _ in range(LIMIT):
        await api.login(email.upper(), "a wrong password")
    problem(await api.login(email), 401, "invalid-credentials")


async def test_unknown_wrong_and_locked_cost_the_same(api: Api) -> None:
    known, locked = new_email(), new_email()
    for email in (known, locked):
        await api.signup(email)
    for _ in range(LIMIT):
        await api.login(locked, "a wrong password")
    costs = set()
    for email, password in (
        (new_email(), PASSWORD),
        (known, "wrong password"),
        (locked, PASSWORD),
        (locked, "wrong!!!"),
    ):
        before = await hashes(api)
        answer = await api.login(email, password)
        assert answer.status_code == 401
        costs.add((await hashes(api) - before, answer.headers["x-db-queries"]))
    [(hashed, _)] = costs
    assert hashed == 1


async def test_a_login_upgrades_an_old_hash(settings: Settings) -> None:
    email = new_email()
    async with running(settings) as api:
        await api.signup(email)
        old = await _stored_hash(api)
    stronger = settings.model_copy(update={"hash_time_cost": 3})
    async with running(stronger) as api:
        problem(await api.login(email, "a wrong password"), 401, "invalid-credentials")
        assert await _stored_hash(api) == old
        token = (await api.login(email)).json()["access_token"]
        upgraded = await _stored_hash(api)
        assert "t=2" in old
        assert "t=3" in upgraded
        assert (await api.get("validate", token)).status_code == 200
        before = await hashes(api)
        assert (await api.login(email)).status_code == 200
        assert await hashes(api) - before == 1
        assert await _stored_hash(api) == upgraded
        assert [row.event_type for row in await api.audit_rows()].count("password_rehashed") == 1


async def _stored_hash(api: Api) -> str:
    async with api.database.reading(Scope(await api.app.state.auth.tenants.find("default"))) as connection:
        return str((await connection.execute(select(users.c.password_hash))).scalar_one())


async def test_a_password_is_changed_and_the_other_sessions_end(api: Api) -> None:
    person, stranger = await api.new_person(), await api.new_person()
    other = Person(api, person.user, (await api.login(person.user["email"])).json())
    assert (await password_change(person)).status_code == 204
    assert (await person.call("GET", "/auth/validate")).status_code == 200
    assert (await person.call("GET", "/auth/me")).status_code == 200
    assert (await stranger.call("GET", "/auth/validate")).status_code == 200
    problem(await other.call("GET", "/auth/validate"), 401, "invalid-token")
    problem(await api.login(person.user["email"]), 401, "invalid-credentials")
    assert (await api.login(person.user["email"], NEW_PASSWORD)).status_code == 200
    assert [row.event_type for row in await api.audit_rows()].count("password_changed") == 1


async def test_ten_wrong_current_passwords_lock_the_change_but_no_login(api: Api) -> None:
    person = await api.new_person()
    for _ in range(LIMIT):
        problem(await password_change(person, current="a wrong password"), 401, "invalid-credentials")
    problem(await password_change(person), 401, "invalid-credentials")
    assert (await api.login(person.user["email"])).status_code == 200
    assert (await person.call("GET", "/auth/validate")).status_code == 200
    events = [row.event_type for row in await api.audit_rows()]
    assert events.count("password_change_failure") == LIMIT + 1


@pytest.mark.parametrize("new", ["short", "x" * 129, "password123", "PassWord123", ""])
async def test_a_weak_new_password_is_refused(api: Api, new: str) -> None:
    person = await api.new_person()
    problem(await password_change(person, new=new), 422, "invalid-request")
    assert (await api.login(person.user["email"])).status_code == 200


async def test_a_login_that_began_before_a_password_change_opens_no_session(api: Api) -> None:
    """The old password was verified, then it was changed: what was verified is worth nothing any more."""
    person = await api.new_person()
    service = api.app.state.auth
    verify, verified, go_on = service.passwords.verify, asyncio.Event(), asyncio.Event()

    async def slowly(password_hash: str | None, password: str) -> bool:
        result: bool = await verify(password_hash, password)
        verified.set()
        await go_on.wait()
        return result

    service.passwords.verify = slowly
    login = asyncio.create_task(api.login(person.user["email"]))
    await verified.wait()
    service.passwords.verify = verify
    assert (await password_change(person)).status_code == 204
    go_on.set()
    problem(await login, 401, "invalid-credentials")
    assert len((await person.call("GET", "/auth/sessions")).json()["items"]) == 1


async def test_a_login_that_began_before_another_change_sees_it(api: Api) -> None:
    """A change of the profile or of roles does not refuse a login, but what it answers is new."""
    person = await api.new_person()
    service = api.app.state.auth
    find = service.__class__._find
    found: list[Any] = []

    async def then_change(self: Any, tenant: str, email: str, key: str) -> Any:
        account = await find(self, tenant, email, key)
        if not found:
            scope = Scope(account.tenant_id)
            async with api.database.writing(scope) as connection:
                change = update(users).where(users.c.tenant_id == account.tenant_id)
                await connection.execute(change.values(name="Renamed", version=users.c.version + 1))
        found.append(account)
        return account

    service.__class__._find = then_change
    try:
        answer = await api.login(person.user["email"])
    finally:
        service.__class__._find = find
    assert (answer.status_code, len(found)) == (200, 2)
    assert answer.json()["user"]["name"] == "Renamed"
    assert (await api.get("me", answer.json()["access_token"])).json()["name"] == "Renamed"
