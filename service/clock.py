"""Time as a collaborator, so that a test can move it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol


class Clock(Protocol):
    """What the service asks of time."""

    def now(self) -> datetime:
        """The wall clock, an aware datetime in UTC."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary point; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""


class SystemClock:
    """The machine's own clock.

    The monotonic one goes on while the machine is suspended (CLOCK_BOOTTIME, where there is one): a lease that was
    taken before is over afterwards. Both are C functions themselves, since every request asks for them ten times.
    """

    def __init__(self) -> None:
        self.now = partial(datetime.now, UTC)
        self.monotonic = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until it is told to move: for tests."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._monotonic = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        """The wall clock, an aware datetime in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that this clock was moved."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved that far."""
        woken = asyncio.Event()
        self._sleepers.append((self._monotonic + seconds, woken))
        await woken.wait()

    def advance(self, seconds: float) -> None:
        """Move both the wall clock and the monotonic one forward, and wake who slept until then."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        for until, woken in self._sleepers:
            if until <= self._monotonic:
                woken.set()
        self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].is_set()]
