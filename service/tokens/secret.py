"""The secret that keys are derived from: one file for all replicas, nothing of it in the database."""

import logging
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.settings import Settings, read_secret

_log = logging.getLogger(__name__)
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """The secrets of the file, the one in use first; those after it are still accepted, or will be used next."""

    secrets: tuple[str, ...] = field(repr=False)

    def derive(self, purpose: str) -> list[bytes]:
        """A key of 256 bits for one purpose out of each secret, in their order (HKDF-SHA256, RFC 5869)."""
        return [
            HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(secret.encode())
            for secret in self.secrets
        ]


def load_signing_secret(settings: Settings) -> SigningSecret:
    """The lines of the secret's file; without a file a secret of this process alone."""
    content = read_secret(settings.signing_secret_file)
    if content is None:
        _log.warning("signing_secret_generated: tokens signed here mean nothing to other replicas")
        return SigningSecret((secrets.token_urlsafe(KEY_BYTES),))
    return SigningSecret(tuple(line.strip() for line in content.splitlines() if line.strip()))
