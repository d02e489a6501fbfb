"""A lock that keeps a command from being run twice at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from infra.setup.host import LOCAL


class BusyError(RuntimeError):
    """Somebody else is at it."""


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Hold the lock of a name in this checkout, at most as long as the process lives. BusyError if it is taken."""
    with (LOCAL / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError from error
        yield
