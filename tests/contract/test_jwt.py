"""The contract of signed tokens: what they say, who verifies them with what, and who gets none."""

import json
import logging
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import update

from service.clock import ManualClock
from service.database.scope import Scope
from service.database.tables import sessions
from service.settings import Settings
from tests.harness import Api, Person, bearer, problem, running
from tests.logs import Log

JWKS = "/.well-known/jwks.json"
CLAIMS = {"iss", "sub", "tenant", "sid", "permissions", "iat", "exp", "jti"}
HOUR = 3600

KeySet = dict[str, list[dict[str, str]]]


async def key_set(api: Api) -> KeySet:
    answer = await api.client.get(JWKS)
    assert answer.status_code == 200
    keys: KeySet = answer.json()
    return keys


async def signed(person: Person) -> str:
    answer = await person.call("POST", "/auth/jwt")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def header_of(token: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(decoded(token.partition(".")[0]))
    return header


def verified(token: str, keys: KeySet) -> dict[str, Any]:
    """The claims of a token, verified with a key set and nothing of ours. Raises InvalidSignature."""
    header, claims, signature = token.split(".")
    [key] = [key for key in keys["keys"] if key["kid"] == header_of(token)["kid"]]
    public = Ed25519PublicKey.from_public_bytes(decoded(key["x"]))
    public.verify(decoded(signature), f"{header}.{claims}".encode())
    said: dict[str, Any] = json.loads(decoded(claims))
    return said


async def test_a_signed_token_says_who_its_bearer_is(api: Api) -> None:
    person = await api.new_person(role="auditor")
    answer = await person.call("POST", "/auth/jwt")
    assert answer.status_code == 200
    assert answer.json().keys() == {"token", "expires_in"}
    claims = verified(answer.json()["token"], await key_set(api))
    assert claims.keys() == CLAIMS
    session = (await person.call("GET", "/auth/validate")).json()
    assert (claims["iss"], claims["sub"], claims["tenant"]) == ("janua", person.user["id"], "default")
    assert claims["sid"] == session["session_id"]
    assert claims["permissions"] == session["permissions"] == ["audit:read", "metrics:read", "users:read"]
    assert answer.json()["expires_in"] == claims["exp"] - claims["iat"] == 300
    assert UUID(claims["jti"])


async def test_its_header_names_the_key_and_the_algorithm(api: Api) -> None:
    token = await signed(await api.new_person())
    header = header_of(token)
    assert (header["alg"], header["typ"]) == ("EdDSA", "JWT")
    assert header["kid"] in {key["kid"] for key in (await key_set(api))["keys"]}


async def test_an_ordinary_library_verifies_it(api: Api) -> None:
    token = await signed(await api.new_person())
    keys = jwt.PyJWKSet.from_dict(await key_set(api))
    key = keys[header_of(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["EdDSA"], issuer="janua", options={"require": ["exp", "iat", "sub"]})
    assert claims.keys() == CLAIMS


async def test_no_two_tokens_have_the_same_id(api: Api) -> None:
    person = await api.new_person()
    keys = await key_set(api)
    assert len({verified(await signed(person), keys)["jti"] for _ in range(3)}) == 3


async def test_another_key_or_another_claim_does_not_verify(api: Api) -> None:
    person = await api.new_person()
    token, keys = await signed(person), await key_set(api)
    kid = header_of(token)["kid"]
    own = [key["x"] for key in keys["keys"] if key["kid"] == kid]
    for other in [key for key in keys["keys"] if key["x"] not in own]:
        with pytest.raises(InvalidSignature):
            verified(token, {"keys": [other | {"kid": kid}]})
    claims = verified(token, keys) | {"permissions": ["tenants:write"]}
    forged = jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": kid})
    header, body, _ = forged.split(".")
    for signature in (forged.split(".")[2], token.split(".")[2]):
        with pytest.raises(InvalidSignature):
            verified(f"{header}.{body}.{signature}", keys)


async def test_the_key_set_is_public_and_may_be_cached(api: Api) -> None:
    answer = await api.client.get(JWKS)
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-db-queries"] == "0"
    assert answer.json().keys() == {"keys"}
    keys = answer.json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys) == 3
    for key in keys:
        assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}  # and no private half
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("OKP", "Ed25519", "sig", "EdDSA")
        assert len(decoded(key["x"])) == len(decoded(key["kid"])) == 32


@pytest.mark.parametrize(("session_seconds", "lives"), [(120, 120), (299, 299), (300, 300), (3600, 300)])
async def test_it_never_outlives_the_session(settings: Settings, session_seconds: int, lives: int) -> None:
    brief = settings.model_copy(update={"access_token_seconds": session_seconds})
    clock = ManualClock()
    async with running(brief, clock=clock) as api:
        person = await api.new_person()
        expires_at = datetime.fromisoformat((await person.call("GET", "/auth/validate")).json()["expires_at"])
        keys = await key_set(api)
        for passed in (0, 100.7):
            clock.advance(passed)
            answer = (await person.call("POST", "/auth/jwt")).json()
            claims = verified(answer["token"], keys)
            now = clock.now().timestamp()
            assert claims["iat"] == int(now)
            assert claims["exp"] <= min(expires_at.timestamp(), now + 300)
            assert claims["exp"] == int(min(expires_at.timestamp(), claims["iat"] + 300))
            assert answer["expires_in"] == claims["exp"] - claims["iat"] == min(lives, session_seconds - int(passed))


async def test_a_configured_lifetime_and_issuer_are_kept(settings: Settings) -> None:
    other = settings.model_copy(update={"jwt_seconds": 30, "jwt_issuer": "https://janua.example.com"})
    async with running(other) as api:
        claims = verified(await signed(await api.new_person()), await key_set(api))
    assert claims["exp"] - claims["iat"] == 30
    assert claims["iss"] == "https://janua.example.com"


async def test_keys_change_without_an_outage(settings: Settings) -> None:
    """Whatever set a verifier holds (at most 300 seconds old), it verifies every token that has not expired."""
    rotating = settings.model_copy(update={"jwt_rotation_seconds": HOUR, "access_token_seconds": 24 * HOUR})
    clock = ManualClock()
    tokens: list[tuple[float, str]] = []
    sets: list[tuple[float, KeySet]] = []
    async with running(rotating, clock=clock) as api:
        person = await api.new_person()
        clock.advance(HOUR - 1000)
        for step in (100, 299.5, 300, 300.5, 0.25, 150, 2950, 299, 1, 1, 299):
            clock.advance(step)
            now = clock.now().timestamp()
            tokens.append((now, await signed(person)))
            sets.append((now, await key_set(api)))
            cached = [keys for fetched_at, keys in sets if fetched_at >= now - 300]
            alive = [token for issued_at, token in tokens if issued_at >= now - 300]
            assert all(verified(token, keys)["exp"] >= int(now) for token in alive for keys in cached)
    assert len({header_of(token)["kid"] for _, token in tokens}) == 3
    assert len({json.dumps(keys) for _, keys in sets}) == 3


async def test_the_secret_is_replaced_without_an_outage(settings: Settings, tmp_path: Path) -> None:
    """Each deployment's tokens are verified by the key set of the deployment before and of the one after."""
    file = tmp_path / "signing"
    deployments = ["old secret", "old secret\nnew secret\n", "new secret\nold secret\n", "new secret"]
    tokens: list[str] = []
    sets: list[KeySet] = []
    async with running(settings) as api:
        person = await api.new_person()
    for content in deployments:
        file.write_text(content)
        async with running(settings.model_copy(update={"signing_secret_file": file})) as api:
            tokens.append(await signed(Person(api, person.user, person.session)))
            sets.append(await key_set(api))
    for number, token in enumerate(tokens):
        for keys in sets[max(0, number - 1) : number + 2]:
            assert verified(token, keys)["sub"] == person.user["id"]
    kids = [header_of(token)["kid"] for token in tokens]
    assert kids[0] == kids[1] != kids[2] == kids[3]
    assert [len(keys["keys"]) for keys in sets] == [3, 6, 6, 3]
    assert not {key["kid"] for key in sets[0]["keys"]} & {key["kid"] for key in sets[3]["keys"]}


async def test_replicas_with_the_same_file_sign_and_verify_for_each_other(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "signing"
    file.write_text("a secret of all replicas")
    same = settings.model_copy(update={"signing_secret_file": file})
    clock = ManualClock()
    async with running(same, clock=clock) as one, running(same, clock=clock) as other:
        assert await key_set(one) == await key_set(other)
        person = await one.new_person()
        token = await signed(Person(other, person.user, person.session))
        assert verified(token, await key_set(one))["sub"] == person.user["id"]
    async with running(settings, clock=clock) as alone, running(settings, clock=clock) as another:
        assert await key_set(alone) != await key_set(another)


async def _logout(person: Person) -> None:
    assert (await person.call("POST", "/auth/logout")).status_code == 204


async def _logout_all(person: Person) -> None:
    other = await person.api.login(person.user["email"])
    headers = bearer(other.json()["access_token"])
    assert (await person.api.client.post("/api/v1/auth/logout-all", headers=headers)).status_code == 204


async def _end_by_id(person: Person) -> None:
    session_id = (await person.call("GET", "/auth/validate")).json()["session_id"]
    assert (await person.call("DELETE", f"/auth/sessions/{session_id}")).status_code == 204


async def _refresh(person: Person) -> None:
    body = {"refresh_token": person.session["refresh_token"]}
    assert (await person.api.client.post("/api/v1/auth/refresh", json=body)).status_code == 200


@pytest.mark.parametrize("end", [_logout, _logout_all, _end_by_id, _refresh])
async def test_a_token_that_has_ended_gets_none(api: Api, end: Callable[[Person], Awaitable[None]]) -> None:
    person = await api.new_person()
    await signed(person)
    await end(person)
    problem(await person.call("POST", "/auth/jwt"), 401, "invalid-token")
    assert len(await _issued(api)) == 1


async def test_the_database_has_the_last_word(api: Api) -> None:
    """A session that was ended where no cache was told of it is still believed elsewhere, but signs nothing."""
    person = await api.new_person()
    tenant_id = await api.app.state.auth.tenants.find("default")
    async with api.database.writing(Scope(tenant_id)) as connection:
        ended = update(sessions).where(sessions.c.user_id == UUID(person.user["id"])).values(is_active=False)
        await connection.execute(ended)
    assert (await person.call("GET", "/auth/validate")).status_code == 200
    problem(await person.call("POST", "/auth/jwt"), 401, "invalid-token")
    assert await _issued(api) == []
    problem(await person.call("GET", "/auth/validate"), 401, "invalid-token")


async def test_an_expired_session_gets_none(settings: Settings) -> None:
    clock = ManualClock()
    async with running(settings, clock=clock) as api:
        person = await api.new_person()
        clock.advance(settings.access_token_seconds - 1)
        assert (await person.call("POST", "/auth/jwt")).json()["expires_in"] == 1
        clock.advance(1)
        problem(await person.call("POST", "/auth/jwt"), 401, "invalid-token")
        assert len(await _issued(api)) == 1


async def test_each_leaves_an_audit_row_and_costs_one_change(api: Api, settings: Settings) -> None:
    person = await api.new_person()
    answer = await person.call("POST", "/auth/jwt")
    [row] = await _issued(api)
    assert (str(row.user_id), row.request_id) == (person.user["id"], answer.headers["x-request-id"])
    assert api.metric("janua_audit_rows_total", event_type="jwt_issued") == 1
    # SQLite knows no change inside WITH: there it is a statement for the session and one for the row.
    assert answer.headers["x-db-queries"] == ("2" if settings.database_url.startswith("sqlite") else "1")


async def test_without_a_session_there_is_none(api: Api) -> None:
    person = await api.new_person()
    for headers in ({}, bearer("A" * 43), bearer(await signed(person)), bearer(person.token) | {"X-Tenant": "other"}):
        problem(await api.client.post("/api/v1/auth/jwt", headers=headers), 401, "invalid-token")


async def test_a_signed_token_is_no_access_token(api: Api) -> None:
    token = await signed(await api.new_person())
    problem(await api.get("validate", token), 401, "invalid-token")


async def test_it_stands_in_no_log(api: Api, caplog: pytest.LogCaptureFixture, log: Log) -> None:
    caplog.set_level(logging.DEBUG)
    person = await api.new_person()
    token = await signed(person)
    await api.get("validate", token)
    text = await log.read()
    assert "/api/v1/auth/jwt" in text
    assert not [part for part in (person.token, token, token.split(".")[2]) if part in text]


async def _issued(api: Api) -> list[Any]:
    return [row for row in await api.audit_rows() if row.event_type == "jwt_issued"]
