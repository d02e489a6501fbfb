import math
import os

import pytest

from service.clock import ManualClock
from service.observability.context import RequestContext
from service.observability.tracing.sampling import Sampling
from service.observability.tracing.traceparent import Parent
from service.settings import Settings

LOW, HIGH = "f" * 16 + "0" * 16, "0" * 16 + "f" * 16


def sampling(clock: ManualClock | None = None, **settings: float) -> Sampling:
    return Sampling(Settings(**settings), clock or ManualClock())  # type: ignore[arg-type]


def request(trace_id: str = HIGH, is_sampled: bool | None = None) -> RequestContext:
    parent = None if is_sampled is None else Parent(trace_id, "1" * 16, is_sampled)
    return RequestContext("id", trace_id, parent=parent)


@pytest.mark.parametrize(
    ("status", "milliseconds", "reason"), [(500, 1, "failed"), (503, 999, "failed"), (200, 250, "slow")]
)
@pytest.mark.parametrize("is_sampled", [None, False])
def test_slow_and_failed_ones_leave_a_trace_whatever_the_ratio(
    status: int, milliseconds: float, reason: str, is_sampled: bool | None
) -> None:
    assert sampling(traces_ratio=0).reason(request(is_sampled=is_sampled), status, milliseconds) == reason


def test_a_refused_one_is_no_failure() -> None:
    assert sampling(traces_ratio=0).reason(request(), 401, 249.9) is None


@pytest.mark.parametrize(("ratio", "expected"), [(0, (None, None)), (0.5, ("ratio", None)), (1, ("ratio", "ratio"))])
def test_the_share_follows_from_the_id(ratio: float, expected: tuple[str | None, str | None]) -> None:
    taken = sampling(traces_ratio=ratio)
    assert (taken.reason(request(LOW), 200, 1), taken.reason(request(HIGH), 200, 1)) == expected


def test_the_share_is_that_of_the_ratio() -> None:
    taken, number = sampling(traces_ratio=0.1), 20_000
    share = sum(taken.reason(request(os.urandom(16).hex()), 200, 1) is not None for _ in range(number)) / number
    # Six times the deviation of such a share: once in half a billion runs it is further off.
    assert abs(share - 0.1) < 6 * math.sqrt(0.1 * 0.9 / number)


def test_the_parent_decides_instead_of_the_ratio() -> None:
    assert sampling(traces_ratio=0).reason(request(is_sampled=True), 200, 1) == "parent"
    assert sampling(traces_ratio=1).reason(request(is_sampled=False), 200, 1) is None


def test_no_more_than_so_many_a_second() -> None:
    clock = ManualClock()
    taken = sampling(clock, traces_per_second=2)
    assert [taken.has_room("slow") for _ in range(4)] == [True, True, False, False]
    clock.advance(1)
    assert [taken.has_room("failed") for _ in range(3)] == [True, True, False]


def test_ordinary_ones_leave_room_for_slow_and_failed_ones() -> None:
    taken = sampling(traces_per_second=4)
    assert [taken.has_room("ratio"), taken.has_room("parent"), taken.has_room("ratio")] == [True, True, False]
    assert [taken.has_room("failed"), taken.has_room("slow"), taken.has_room("failed")] == [True, True, False]


def test_one_a_second_may_be_of_any_kind() -> None:
    taken = sampling(traces_per_second=1)
    assert [taken.has_room("ratio"), taken.has_room("failed")] == [True, False]
