"""Log lines: one JSON object each, on standard output."""

import json
import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from service.observability.context import current_request


class JsonFormatter(logging.Formatter):
    """Turns a record into one line of JSON; `extra={"fields": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        """One line: time, level, logger, event, the request's id and the record's own fields."""
        line: dict[str, Any] = {
            "time": timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        request = current_request()
        if request is not None:
            line |= {"request_id": request.request_id, "trace_id": request.trace_id}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logging(level: str) -> None:
    """Send every logger's records of at least `level` to standard output as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


def timestamp(seconds: float) -> str:
    """The time that is so many seconds after 1970, in UTC, to the millisecond: `2026-01-01T00:00:00.000+00:00`."""
    return _to_the_millisecond(int(1000 * seconds))


# Under load many lines share a millisecond: 0.1 µs each instead of 0.5, and 1.6 where they do not share a second.
@lru_cache(maxsize=1)
def _to_the_millisecond(milliseconds: int) -> str:
    whole, rest = divmod(milliseconds, 1000)
    return f"{_to_the_second(whole)}.{rest:03d}+00:00"


@lru_cache(maxsize=1)
def _to_the_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
