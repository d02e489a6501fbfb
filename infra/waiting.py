"""Waiting for a server that was just started."""

import time
from collections.abc import Callable

_PAUSE_SECONDS = 0.1


def until_it_answers(ask: Callable[[], object], errors: tuple[type[Exception], ...], seconds: float = 120) -> None:
    """Call `ask` until it raises none of the errors; the last one is raised after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask()
        except errors:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
