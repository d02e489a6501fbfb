"""Log lines: one JSON object each, on standard output."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from service.observability.context import current_request


class JsonFormatter(logging.Formatter):
    """Turns a record into one line of JSON; `extra={"fields": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        """One line: time, level, logger, event, the request's id and the record's own fields."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
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
