"""The line `request_completed` that each request leaves on standard output.

It looks like those of the logging module and obeys its levels, but is none of its records: it takes 1 µs instead of 13.
Lines of both ways are whole, since both end in the one buffer of standard output.
"""

import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

import orjson

from service.observability.context import RequestContext
from service.observability.logging import timestamp

LOGGER = "janua.request"
_log = logging.getLogger(LOGGER)

Answered = tuple[RequestContext, str, str, int, float]
"""A request that was answered: its method, its route's template, the status, and how many milliseconds it took."""


def is_on() -> bool:
    """Whether the level lets these lines pass."""
    return _log.isEnabledFor(logging.INFO)


def write(answered: Sequence[Answered], epoch: float) -> None:
    """Write the lines of some requests; `epoch` is the time, in seconds since 1970, at which their clock was zero."""
    lines = "".join([_line(one, epoch) for one in answered]).encode()
    # Requests are served also when nobody reads any more (OSError), or the stream was closed (ValueError) or
    # never there (AttributeError).
    with suppress(AttributeError, OSError, ValueError):
        sys.stdout.buffer.write(lines)
        sys.stdout.buffer.flush()


def _line(answered: Answered, epoch: float) -> str:
    request, method, path, status, milliseconds = answered
    at = timestamp(epoch + request.started + milliseconds / 1000)
    # Put together by hand, in half the time: ids were checked when they came, and hold nothing to escape.
    user_id = "null" if request.user_id is None else f'"{request.user_id}"'
    return (
        f'{{"time":"{at}","level":"INFO","logger":"{LOGGER}","event":"request_completed",'
        f'"request_id":"{request.request_id}","trace_id":"{request.trace_id}",'
        f'{_route(method, path, status)},"duration_ms":{milliseconds:.3f},'
        f'"db_queries":{request.db_queries},"db_round_trips":{request.db_round_trips},'
        f'"cache_hits":{request.cache_hits},"cache_misses":{request.cache_misses},'
        f'"tenant":{_json(request.tenant)},"user_id":{user_id}}}\n'
    )


@lru_cache(maxsize=1024)  # there are few routes and tenants, and not many answers of each route
def _route(method: str, path: str, status: int) -> str:
    return f'"method":{_json(method)},"path":{_json(path)},"status":{status}'


@lru_cache(maxsize=1024)
def _json(member: str | None) -> str:
    return orjson.dumps(member).decode()
