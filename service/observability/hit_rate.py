"""The cache's hit rate over a sliding window."""

import math
from collections import deque

from service.clock import Clock

WINDOW_SECONDS = 300
_SLICE_SECONDS = 5
_SLICES = WINDOW_SECONDS // _SLICE_SECONDS


class HitRateWindow:
    """100 x hits / (hits + misses) over the last five minutes, kept in slices of five seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slices: deque[list[int]] = deque()  # [number of the slice, hits, misses]
        self._hits = 0
        self._misses = 0

    def record(self, *, hit: bool) -> None:
        """Count one look-up."""
        current = self._forget_old()
        if not self._slices or self._slices[-1][0] != current:
            self._slices.append([current, 0, 0])
        self._slices[-1][1 if hit else 2] += 1
        self._hits += hit
        self._misses += not hit

    def percent(self) -> float:
        """The rate in percent; NaN without a look-up in the window."""
        self._forget_old()
        lookups = self._hits + self._misses
        return 100 * self._hits / lookups if lookups else math.nan

    def _forget_old(self) -> int:
        current = int(self._clock.monotonic() // _SLICE_SECONDS)
        while self._slices and self._slices[0][0] <= current - _SLICES:
            _, hits, misses = self._slices.popleft()
            self._hits -= hits
            self._misses -= misses
        return current
