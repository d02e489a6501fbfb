"""What a request waited for: each becomes a span, if the request leaves a trace."""

import time
from typing import NamedTuple

from service.observability.context import current_request

INTERNAL = "janua"
"""The system of an operation of the service's own."""


class Operation(NamedTuple):
    """A statement, a command or a piece of work, with its times in nanoseconds since 1970.

    `text` is a statement without its values, a command without its arguments: what they hold is nobody's business.
    """

    system: str
    text: str
    started: int
    ended: int
    error: str | None


begin = time.time_ns
"""What to call before an operation, for `end_operation`."""


def end_operation(system: str, text: str, started: int, error: BaseException | None = None) -> None:
    """Note an operation that has ended, if it was for a request and traces are on."""
    request = current_request()
    if request is None or request.operations is None:
        return
    reason = type(error).__name__ if error is not None else None
    request.operations.append(Operation(system, text, started, time.time_ns(), reason))
