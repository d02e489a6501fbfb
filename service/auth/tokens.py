"""Opaque tokens: 256 random bits for the client, their SHA-256 for everyone else."""

import hashlib
import re
import secrets

_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """A token of 256 random bits, 43 characters that are safe in a URL."""
    return secrets.token_urlsafe(32)


def is_well_formed(token: str) -> bool:
    """Whether a token could be one of ours; anything else needs no look-up to be refused."""
    return _WELL_FORMED.fullmatch(token) is not None


def fingerprint(token: str) -> str:
    """The token's SHA-256 in hexadecimal: the only form that is stored, cached or looked up."""
    return hashlib.sha256(token.encode()).hexdigest()
