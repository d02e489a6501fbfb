"""The header `traceparent` (W3C Trace Context, level 1): the trace that a request belongs to."""

import re
from typing import NamedTuple

_FORM = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1


class Parent(NamedTuple):
    """The span that a request is part of: in hexadecimal digits, and whether it leaves a trace."""

    trace_id: str
    span_id: str
    is_sampled: bool


def read_traceparent(value: bytes) -> Parent | None:
    """The parent that the header names; None if it is not well formed."""
    found = _FORM.fullmatch(value)
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    # Version ff is none, and only those to come may say more than 00 does; an id of zeros is none either.
    if version == b"ff" or (version == b"00" and more) or not trace_id.strip(b"0") or not span_id.strip(b"0"):
        return None
    return Parent(trace_id.decode(), span_id.decode(), bool(int(flags, 16) & _SAMPLED))
