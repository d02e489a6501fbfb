"""The users of a population: whoever knows its seed computes their ids, addresses, tokens and password.

So neither the load generator nor k6 needs a list of them, and what they expect in an answer they compute.
loadtest/k6/lib/population.js has the same rules for k6; a test compares the two.
"""

import base64
import hashlib
from dataclasses import dataclass
from uuid import UUID

from service.tenants.header import DEFAULT_TENANT

# As of ids that the service gives (UUID of version 7), so that they ascend.
_UUID_7 = 0x0193_F2B0_0000_7000_8000_0000_0000_0000
_SESSION, _EVENT, _TENANT = 1 << 48, 1 << 49, 1 << 50
_SECRET_CHARACTERS = 43
_SALT_BYTES = 16


@dataclass(frozen=True)
class Population:
    """`seed` is a secret, for tokens and password follow from it; `count` users belong to `tenants` in turn."""

    seed: str
    count: int
    tenants: int = 1

    def tenant(self, number: int) -> str:
        """The slug of a user's tenant: the default tenant's for the first of as many as there are tenants."""
        return tenant_slug(number % self.tenants)

    def user_id(self, number: int) -> UUID:
        """The id of a user."""
        return UUID(int=_UUID_7 | number)

    def session_id(self, number: int) -> UUID:
        """The id of the session that the user has from the start."""
        return UUID(int=_UUID_7 | _SESSION | number)

    def event_id(self, number: int) -> UUID:
        """The id of an event of the audit trail; they are counted over all users."""
        return UUID(int=_UUID_7 | _EVENT | number)

    def email(self, number: int) -> str:
        """The address that the user logs in with."""
        return f"user{number}@load.example.com"

    @property
    def password(self) -> str:
        """The password of all users: a hash for each would be hours of hashing."""
        return self._secret("password", 0)

    @property
    def salt(self) -> bytes:
        """The salt of the password's hash, so that it is the same wherever it is made."""
        return self._secret("salt", 0).encode()[:_SALT_BYTES]

    def token(self, number: int) -> str:
        """The access token of the user's session, of the form that the service gives."""
        return self._secret("access", number)

    def refresh_token(self, number: int) -> str:
        """The refresh token of the user's session."""
        return self._secret("refresh", number)

    def _secret(self, purpose: str, number: int) -> str:
        digest = hashlib.sha256(f"{self.seed}:{purpose}:{number}".encode()).digest()
        return base64.urlsafe_b64encode(digest)[:_SECRET_CHARACTERS].decode()


def tenant_slug(number: int) -> str:
    """The slug of the tenant of that number, of which 0 is there before any population."""
    return f"load-{number}" if number else DEFAULT_TENANT


def tenant_id(number: int) -> UUID:
    """The id of a tenant that a population brings along."""
    return UUID(int=_UUID_7 | _TENANT | number)
