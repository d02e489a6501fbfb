"""Which requests leave a trace: decided when they have ended."""

from typing import Literal

from service.clock import Clock
from service.observability.context import RequestContext
from service.settings import Settings

Reason = Literal["failed", "slow", "parent", "ratio"]
_ORDINARY = frozenset[Reason]({"parent", "ratio"})


class Sampling:
    """Slow and failed requests, those whose parent leaves a trace, and of those without a parent a share.

    The share follows from the trace's id, so that others who know the same ratio choose the same ones. No more than
    so many a second are taken: what helps to understand some of them must not burden the rest when all are slow. The
    ordinary ones leave half of the room (of more than one) to those that are slow or fail, and that come late in a
    second under load.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._slow_ms = settings.traces_slow_ms
        self._per_second = settings.traces_per_second
        # Ids are compared as they are written: sixteen digits, and what comes after all of them.
        ratio = settings.traces_ratio
        self._below = f"{round(ratio * 2**64):016x}" if ratio < 1 else "g"
        self._monotonic = clock.monotonic
        self._second = -1
        self._taken = 0
        self._ordinary = 0

    def reason(self, request: RequestContext, status: int, milliseconds: float) -> Reason | None:
        """Why a request that has ended is to leave a trace; None if it is not."""
        if status >= 500:
            return "failed"
        if milliseconds >= self._slow_ms:
            return "slow"
        parent = request.parent
        if parent is None:
            return "ratio" if request.trace_id[16:] < self._below else None
        return "parent" if parent.is_sampled else None

    def has_room(self, reason: Reason) -> bool:
        """Whether one more that was chosen for such a reason may be taken in this second; it counts as taken then."""
        second = int(self._monotonic())
        if second != self._second:
            self._second, self._taken, self._ordinary = second, 0, 0
        is_ordinary = reason in _ORDINARY
        if self._taken >= self._per_second or (is_ordinary and self._ordinary >= self._per_second / 2):
            return False
        self._taken += 1
        self._ordinary += is_ordinary
        return True
