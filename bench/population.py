"""The users that everything is measured with: what each is called follows from its number.

So the load generator needs no list of them, and what it expects in an answer it computes.
"""

import base64
import hashlib
from dataclasses import dataclass
from uuid import UUID

USERS = 100_000
PASSWORD = "a passphrase of the benchmark"  # noqa: S105 - of users that live for one run
_UUID_7 = 0x0193_F2B0_0000_7000_8000_0000_0000_0000


@dataclass(frozen=True)
class Population:
    """`seed` makes the tokens of one run worthless in another; `count` is how many users there are."""

    seed: str
    count: int = USERS

    def user_id(self, number: int) -> UUID:
        """The id of a user: they ascend, as those do that the service gives (UUID of version 7)."""
        return UUID(int=_UUID_7 | number)

    def session_id(self, number: int) -> UUID:
        """The id of the session that the user has from the start."""
        return UUID(int=_UUID_7 | 1 << 48 | number)

    def email(self, number: int) -> str:
        """The address that the user logs in with."""
        return f"user{number}@bench.example.com"

    def token(self, number: int) -> str:
        """The access token of the user's session, of the form that the service gives."""
        return self._secret("access", number)

    def refresh_token(self, number: int) -> str:
        """The refresh token of the user's session."""
        return self._secret("refresh", number)

    def _secret(self, purpose: str, number: int) -> str:
        digest = hashlib.sha256(f"{self.seed}:{purpose}:{number}".encode()).digest()
        return base64.urlsafe_b64encode(digest)[:43].decode()
