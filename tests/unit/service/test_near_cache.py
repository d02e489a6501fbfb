"""The tier in a process's memory: bounded, expiring, and keeping nothing that was dropped while it was read."""

from service.cache.near import NearCache
from service.clock import ManualClock


def test_what_is_kept_expires() -> None:
    clock = ManualClock()
    near = NearCache(2, clock)
    near.put("a", "value", 10, 5.0, near.version)
    clock.advance(4.9)
    assert near.get("a") == "value"
    clock.advance(0.1)
    assert near.get("a") is None
    assert (near.usage().entries, near.usage().memory_bytes) == (0, 0)


def test_when_it_is_full_the_oldest_makes_room() -> None:
    near = NearCache(2, ManualClock())
    for key in ("a", "b", "a", "c"):
        near.put(key, key, 1, 60, near.version)
    assert [near.get(key) for key in ("a", "b", "c")] == ["a", None, "c"]
    assert (near.usage().entries, near.usage().memory_bytes) == (2, 2)


def test_nothing_is_kept_that_was_read_before_something_was_dropped() -> None:
    near = NearCache(2, ManualClock())
    before = near.version
    near.drop(["other"])
    near.put("a", "value", 1, 60, before)
    assert near.get("a") is None
    before = near.version
    near.clear()
    near.put("a", "value", 1, 60, before)
    assert near.get("a") is None


def test_what_is_dropped_is_gone_and_the_rest_is_not() -> None:
    near = NearCache(3, ManualClock())
    for key in ("a", "b"):
        near.put(key, key, 5, 60, near.version)
    near.drop(["a", "never there"])
    assert (near.get("a"), near.get("b"), near.usage().memory_bytes) == (None, "b", 5)
    near.clear()
    assert (near.get("b"), near.usage().memory_bytes) == (None, 0)


def test_without_capacity_it_stays_empty() -> None:
    near = NearCache(0, ManualClock())
    near.put("a", "value", 1, 60, near.version)
    assert near.get("a") is None
