"""The keys that sign tokens: derived from the signing secret, stored nowhere, coordinated by nobody.

Time is cut into epochs of `jwt_rotation_seconds`. The private key of an epoch follows from the secret and the
epoch's number, so that replicas with the same file sign with the same key and change it at the same moment.

The key set publishes, for every secret of the file, the keys of the previous, the present and the next epoch. A
verifier that caches the set (for minutes; an epoch lasts an hour at least) knows a key before it signs; and a key
stays there for an epoch after it signed last, which is longer than its last token lives. For the same reason
clocks that do not quite agree about the moment of change do no harm.

How to replace the secret without an outage: write the new one as a second line and deploy (its keys are published
now); when the caches have forgotten the set of before (`KEY_SET_SECONDS`), swap the two lines and deploy (it signs
now); when the last token of the old one has expired (`jwt_seconds`), drop the second line and deploy. A secret
that somebody else has seen is not kept as a second line: what it signs is refused as soon as the caches have
forgotten its keys.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.tokens.models import JsonWebKey
from service.tokens.secret import SigningSecret

KEY_SET_SECONDS = 300
"""How long a verifier may cache the key set: less than the shortest epoch."""

# The three that are published, and one that a request of just before the change of epoch may still ask for.
_EPOCHS_KEPT = 4


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, and its public half as it is published."""

    private: Ed25519PrivateKey
    public: JsonWebKey

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """The key of a seed of 32 bytes (RFC 8032)."""
        private = Ed25519PrivateKey.from_private_bytes(seed)
        x = _base64url(private.public_key().public_bytes_raw())
        return cls(private, JsonWebKey(kty="OKP", crv="Ed25519", x=x, kid=_thumbprint(x), use="sig", alg="EdDSA"))


class SigningKeys:
    """The keys of every secret at any time; those of a few epochs are kept in memory."""

    def __init__(self, secret: SigningSecret, rotation_seconds: int) -> None:
        self._secret = secret
        self._rotation_seconds = rotation_seconds
        self._of_epoch = lru_cache(maxsize=_EPOCHS_KEPT)(self._derive)

    def signing(self, now: datetime) -> SigningKey:
        """The key that signs at `now`: the first secret's."""
        return self._of_epoch(self._epoch(now))[0]

    def published(self, now: datetime) -> list[JsonWebKey]:
        """The public keys that verify what was signed just before `now`, or will be soon after."""
        present = self._epoch(now)
        return [key.public for epoch in (present - 1, present, present + 1) for key in self._of_epoch(epoch)]

    def _epoch(self, now: datetime) -> int:
        return int(now.timestamp()) // self._rotation_seconds

    def _derive(self, epoch: int) -> tuple[SigningKey, ...]:
        return tuple(SigningKey.from_seed(seed) for seed in self._secret.derive(f"jwt:{epoch}"))


def _thumbprint(x: str) -> str:
    """A public key's id: the SHA-256 of its required members in alphabetical order (RFC 7638, RFC 8037)."""
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return _base64url(hashlib.sha256(members.encode()).digest())


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
