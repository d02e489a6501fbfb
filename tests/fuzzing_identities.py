"""Who schemathesis is, for each operation: loaded by it as its hooks (SCHEMATHESIS_HOOKS).

Most operations are called by an administrator. Those that end sessions, or that lock an account, are called by users
who are made for that, anew whenever they have locked or logged themselves out.
"""

import os
import secrets
from dataclasses import dataclass
from typing import Any

import httpx
import schemathesis

API = os.environ["FUZZED_URL"] + "/api/v1"
ADMIN = {"email": os.environ["FUZZED_ADMIN"], "password": os.environ["FUZZED_PASSWORD"]}
ENDING = (
    *("/auth/logout", "/auth/logout-all", "/auth/password", "/users/me"),
    *("/auth/sessions", "/auth/sessions/{session_id}"),
)


@dataclass
class Identity:
    """A user and its present token; `expendable` ones are replaced, the administrator logs in again."""

    expendable: bool
    token: str = ""

    def valid_token(self, client: httpx.Client) -> str:
        headers = {"Authorization": f"Bearer {self.token}"}
        if not self.token or client.get(f"{API}/auth/validate", headers=headers).status_code != 200:
            self.token = self._log_in(client)
        return self.token

    def _log_in(self, client: httpx.Client) -> str:
        account = ADMIN
        if self.expendable:
            account = {"email": f"{secrets.token_hex(8)}@fuzz.example.com", "password": ADMIN["password"]}
            client.post(f"{API}/auth/signup", json=account).raise_for_status()
        return str(client.post(f"{API}/auth/login", json=account).raise_for_status().json()["access_token"])


@schemathesis.auth(refresh_interval=None)
class Bearer:
    """Puts a token that is valid into each request."""

    def __init__(self) -> None:
        self._client = httpx.Client(timeout=60)
        self._admin, self._expendable = Identity(expendable=False), Identity(expendable=True)

    def get(self, case: Any, _context: Any) -> str:
        identity = self._expendable if case.operation.path.endswith(ENDING) else self._admin
        return identity.valid_token(self._client)

    def set(self, case: Any, data: str, _context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
