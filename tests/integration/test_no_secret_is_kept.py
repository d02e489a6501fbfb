"""After everything that the service does: no token and no password in the database, in Redis, a log or a trace."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.bootstrap import bootstrap
from tests.harness import PASSWORD, bearer
from tests.replicas import Replica, replicas
from tests.servers import Database, Redis
from tests.zipkin import Zipkin

pytestmark = pytest.mark.integration

WRONG, NEW, REFUSED = "a wrong passphrase", "an entirely new passphrase", "refused as too short\x00"
ADMIN = "admin@example.com"


class Journey:
    """Calls every route that gets or gives a secret, and remembers the secrets."""

    def __init__(self, replica: Replica) -> None:
        self._client = httpx.Client(base_url=f"{replica.url}/api/v1", timeout=60)
        self.secrets = {PASSWORD, WRONG, NEW, REFUSED.rstrip("\x00")}

    def call(self, method: str, path: str, status: int, token: str | None = None, **options: Any) -> Any:
        answer = self._client.request(method, path, headers=bearer(token) if token else {}, **options)
        assert answer.status_code == status, (path, answer.text)
        content = answer.json() if answer.content else {}
        names = ("access_token", "refresh_token", "token")
        self.secrets |= {content[name] for name in names if name in content}
        return content

    def travel(self) -> None:
        account = {"email": "ada@example.com", "password": PASSWORD}
        self.call("POST", "/auth/signup", 201, json=account)
        self.call("POST", "/auth/signup", 409, json=account)
        self.call("POST", "/auth/signup", 422, json={"email": PASSWORD, "password": REFUSED, PASSWORD: WRONG})
        self.call("POST", "/auth/login", 401, json=account | {"password": WRONG})
        session = self.call("POST", "/auth/login", 200, json=account)
        # A password that is typed where the address belongs.
        self.call("POST", "/auth/login", 422, json={"email": PASSWORD, "password": PASSWORD})
        token = session["access_token"]
        self.call("GET", "/auth/me", 200, token)
        self.call("GET", "/auth/validate", 200, token)
        self.call("GET", f"/auth/validate?token={token}", 200, token)
        pair = self.call("POST", "/auth/refresh", 200, json={"refresh_token": session["refresh_token"]})
        other = self.call("POST", "/auth/login", 200, json=account)
        token = pair["access_token"]
        self.call("POST", "/auth/jwt", 200, token)
        change = {"current_password": PASSWORD, "new_password": NEW}
        self.call("POST", "/auth/password", 401, token, json=change | {"current_password": WRONG})
        self.call("POST", "/auth/password", 204, token, json=change)
        self.call("GET", "/auth/validate", 401, other["access_token"])
        self.call("PATCH", "/users/me", 200, token, json={"name": "Ada"})
        admin = self.call("POST", "/auth/login", 200, json={"email": ADMIN, "password": PASSWORD})["access_token"]
        assert self.call("POST", "/auth/introspect", 200, admin, data={"token": token})["active"]
        first = {"email": "first@example.com", "password": NEW}
        self.call("POST", "/tenants", 201, admin, json={"slug": "acme", "name": "Acme", "admin": first})
        self.call("GET", "/audit-logs", 200, admin)
        # Second use of the first refresh token, whose successor was not used yet: the same answer; then its theft.
        again = self.call("POST", "/auth/refresh", 200, json={"refresh_token": pair["refresh_token"]})
        self.call("POST", "/auth/refresh", 401, json={"refresh_token": session["refresh_token"]})
        self.call("GET", "/auth/validate", 401, again["access_token"])


async def test_nothing_secret_is_left_behind(migrated: Database, redis: Redis, zipkin: Zipkin, tmp_path: Path) -> None:
    password = tmp_path / "admin_password"
    password.write_text(PASSWORD)
    await bootstrap(migrated.settings(admin_email=ADMIN, admin_password_file=password))
    traced = {f"JANUA_{name.upper()}": str(value) for name, value in zipkin.settings.items()}
    with replicas(1, migrated, redis, tmp_path, JANUA_LOG_LEVEL="DEBUG", **traced) as [replica]:
        journey = Journey(replica)
        journey.travel()
        secret = (tmp_path / "signing_secret").read_text()
        kept = {
            "database": migrated.server.dump(migrated.name, "--data-only"),
            "redis": str(redis.entries()),
            "log of the service": replica.log.read_text(),
            "log of PostgreSQL": migrated.server.container.logs().decode(),
            "metrics": replica.exposition(),
            "traces": traces_of(replica, zipkin),
        }
    assert len(journey.secrets) >= 4 + 9
    # The search finds what is there.
    assert "ada@example.com" in kept["database"]
    assert "token:validation:" in kept["redis"]
    assert kept["log of the service"].count("request_completed") > 20
    assert "INSERT INTO users" in kept["traces"]
    found = {(place, word) for place, text in kept.items() for word in (*journey.secrets, secret) if word in text}
    assert found == set()
    # Whom a request was for stands in its log line alone.
    assert "@example.com" not in kept["traces"]


def traces_of(replica: Replica, zipkin: Zipkin) -> str:
    """The traces of all requests that the log tells of."""
    lines = [json.loads(line) for line in replica.log.read_text().splitlines() if "request_completed" in line]
    return str([zipkin.trace(line["trace_id"]) for line in lines])
