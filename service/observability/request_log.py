"""The line `request_completed` that each request leaves on standard output."""

import asyncio
import logging
import sys
import time
from contextlib import suppress

import orjson

from service.observability.context import RequestContext
from service.observability.logging import timestamp

LOGGER = "janua.request"
_log = logging.getLogger(LOGGER)
# How long lines may wait for others to be written with.
PAUSE_SECONDS = 0.02
_Ended = tuple[float, RequestContext, str, str, int, float]


class RequestLog:
    """Writes the lines of all requests that end within a moment together.

    A line looks like those of the logging module and obeys its levels, but is none of its records: it takes 1.5 µs
    instead of 13, and a pipe's reader is woken once for all of them, which takes 7. Lines of both ways are whole,
    since both end in the one buffer of standard output.
    """

    def __init__(self) -> None:
        self._ended: list[_Ended] = []

    def tell(self, request: RequestContext, method: str, path: str, status: int, milliseconds: float) -> None:
        """Log a request that has ended, if the level lets it pass. `path` is the route's template."""
        if not _log.isEnabledFor(logging.INFO):
            return
        if not self._ended:
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self.flush)
        self._ended.append((time.time(), request, method, path, status, milliseconds))

    def flush(self) -> None:
        """Write what was not written yet; to be called before the end."""
        ended, self._ended = self._ended, []
        if not ended:
            return
        lines = b"".join([_line(one) for one in ended])
        # Requests are served also when nobody reads any more (OSError), or the stream was closed (ValueError) or
        # never there (AttributeError).
        with suppress(AttributeError, OSError, ValueError):
            sys.stdout.buffer.write(lines)
            sys.stdout.buffer.flush()


def _line(ended: _Ended) -> bytes:
    at, request, method, path, status, milliseconds = ended
    members = {
        "time": timestamp(at),
        "level": "INFO",
        "logger": LOGGER,
        "event": "request_completed",
        "request_id": request.request_id,
        "trace_id": request.trace_id,
        "method": method,
        "path": path,
        "status": status,
        "duration_ms": round(milliseconds, 3),
        "db_queries": request.db_queries,
        "db_round_trips": request.db_round_trips,
        "cache_hits": request.cache_hits,
        "cache_misses": request.cache_misses,
        "tenant": request.tenant,
        "user_id": request.user_id,
    }
    return orjson.dumps(members, default=str, option=orjson.OPT_APPEND_NEWLINE)
