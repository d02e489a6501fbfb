"""Identifiers of rows."""

import secrets
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562).

    Its first 48 bits are the time in milliseconds, so that rows written one after the other stand side by
    side in a primary key's B-tree; the other 74 bits are random.
    """
    milliseconds = time.time_ns() // 1_000_000
    random_a = secrets.randbits(12) << 64
    random_b = secrets.randbits(62)
    return UUID(int=(milliseconds & (2**48 - 1)) << 80 | _VERSION_7 | random_a | _VARIANT | random_b)
