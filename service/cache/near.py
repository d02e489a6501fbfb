"""The tier in this process: values as objects, ready to be answered.

It knows nothing of freshness: whether a copy may be served is decided by who asks (`service/cache/tiers.py`).
"""

from collections.abc import Iterable
from typing import Any

from service.cache.protocol import Usage
from service.clock import Clock


class NearCache:
    """A dictionary whose entries expire; the oldest make room when it is full. With no capacity it stays empty."""

    tier = "memory"

    def __init__(self, capacity: int, clock: Clock) -> None:
        self.capacity = capacity
        self.version = 0
        """Rises when anything is dropped. Who is about to read a value elsewhere notes it first, see `put`."""
        self._monotonic = clock.monotonic
        self._entries: dict[str, tuple[float, Any, int]] = {}
        self._bytes = 0

    def get(self, key: str) -> Any | None:
        """The value of a key; None if there is none or it has expired."""
        found = self._entries.get(key)
        if found is None:
            return None
        if found[0] <= self._monotonic():
            self._remove(key)
            return None
        return found[1]

    def put(self, key: str, value: Any, size: int, seconds: float, version: int) -> None:
        """Keep a value that was read since `version`, unless something was dropped in the meantime.

        What was dropped may have been this very value, on its way here. `size` is that of its encoding, in bytes.
        """
        if version != self.version or not self.capacity:
            return
        self._remove(key)
        while len(self._entries) >= self.capacity:
            self._remove(next(iter(self._entries)))
        self._entries[key] = (self._monotonic() + seconds, value, size)
        self._bytes += size

    def drop(self, keys: Iterable[str]) -> None:
        """Forget these keys, and let nobody store what was read before now."""
        self.version += 1
        for key in keys:
            self._remove(key)

    def clear(self) -> None:
        """Forget everything, and let nobody store what was read before now."""
        self.version += 1
        self._entries.clear()
        self._bytes = 0

    def usage(self) -> Usage:
        """What it holds; the bytes are those of the values' encodings, which is less than the objects take."""
        return Usage(len(self._entries), self._bytes, self._entries.keys())

    def _remove(self, key: str) -> None:
        found = self._entries.pop(key, None)
        if found is not None:
            self._bytes -= found[2]
