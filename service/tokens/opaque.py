"""Opaque tokens: 256 random bits for the client, their SHA-256 for everyone else."""

import base64
import hashlib
import hmac
import re
import secrets

_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{43}")
TOKEN_BYTES = 32
TOKEN_EXAMPLE = "3q2-7wAAq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq80"  # noqa: S105 - an example in the documentation


def new_token() -> str:
    """A token of 256 random bits, 43 characters that are safe in a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_well_formed(token: str) -> bool:
    """Whether a token could be one of ours; anything else needs no look-up to be refused."""
    return _WELL_FORMED.fullmatch(token) is not None


def fingerprint(token: str) -> str:
    """The token's SHA-256 in hexadecimal: the only form that is stored, cached or looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def successors(key: bytes, refresh_token: str) -> tuple[str, str]:
    """The access and the refresh token that a refresh token is exchanged for.

    They follow from it and from a key that only the service has (HMAC-SHA256), so that who repeats an exchange
    whose answer was lost gets the same answer, though no token is stored anywhere.
    """
    access, refresh = (_derive(key, purpose, refresh_token) for purpose in ("access", "refresh"))
    return access, refresh


def _derive(key: bytes, purpose: str, token: str) -> str:
    digest = hmac.digest(key, f"{purpose}:{token}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
