"""A timer that ticks at a constant rate to a few microseconds: those of event loops know milliseconds only."""

import asyncio
import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_libc = ctypes.CDLL(None, use_errno=True)
_CLOCK_MONOTONIC = 1


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", _TimeSpec), ("first", _TimeSpec))


@contextmanager
def ticks(seconds: float, tick: Callable[[], None]) -> Iterator[None]:
    """Call `tick` every so many seconds while the block runs; ticks that the loop was late for are one (timerfd)."""
    timer = _checked(_libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
    loop = asyncio.get_running_loop()
    whole, rest = divmod(round(seconds * 1e9), 10**9)
    period = _TimeSpec(whole, rest)
    _checked(_libc.timerfd_settime(timer, 0, ctypes.byref(_TimerSpec(period, period)), None))

    def elapsed() -> None:
        os.read(timer, 8)
        tick()

    loop.add_reader(timer, elapsed)
    try:
        yield
    finally:
        loop.remove_reader(timer)
        os.close(timer)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
