"""The store of one process, for development, tests and a deployment of a single replica."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from service.cache.protocol import Entry, Fence, Listener, Usage
from service.clock import Clock

_MAX_ENTRIES = 50_000


class MemoryBackend:
    """A dictionary whose entries expire; the least recently written make room when it is full."""

    tier = "memory"

    def __init__(self, clock: Clock, max_entries: int = _MAX_ENTRIES) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """The value of a key."""
        return self._live(key)

    async def put(self, entries: Mapping[str, Entry]) -> None:
        """Store the entries, whatever was there."""
        for key, entry in entries.items():
            self._entries[key] = (self._clock.monotonic() + entry.seconds, entry.value)
            self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    async def reserve(self, mark: str, ticket: str, seconds: float) -> bool:
        """Set `mark` to `ticket` unless another loader's mark is there; whether it was set."""
        if self._live(mark) is not None:
            return False
        await self.put({mark: Entry(ticket.encode(), seconds)})
        return True

    async def fill(self, mark: str, ticket: str, entries: Mapping[str, Entry], fence: Fence) -> bool:
        """Store the entries and remove the mark, if the mark still holds the ticket and the fence lets them pass."""
        if self._live(mark) != ticket.encode() or self._held(fence) > fence.version:
            return False
        del self._entries[mark]
        await self.put(entries)
        return True

    async def remove(self, *keys: str) -> None:
        """Remove keys and marks."""
        for key in keys:
            self._entries.pop(key, None)

    async def fence_off(self, keys: Sequence[str], fence: Fence, seconds: float) -> None:
        """Remove keys and marks, and for so long refuse to fill in what is older than the fence."""
        await self.remove(*keys)
        version = max(fence.version, self._held(fence))
        await self.put({fence.key: Entry(b"%d" % version, seconds)})

    def tell(self, message: bytes) -> None:
        """Nobody listens to the store of one process."""

    def listen(self, listener: Listener) -> None:
        """There is nothing to hear."""

    async def ping(self) -> None:
        """Return: this store always answers."""

    async def usage(self) -> Usage:
        """What the store holds; the bytes are those of the values alone."""
        size = sum(len(value) for _, value in self._entries.values())
        return Usage(len(self._entries), size, self._entries.keys())

    async def close(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def _held(self, fence: Fence) -> int:
        """The version that a fence holds now; -1, which lets everything pass, if there is none."""
        return int(self._live(fence.key) or -1)

    def _live(self, key: str) -> bytes | None:
        found = self._entries.get(key)
        if found is None:
            return None
        expires, value = found
        if expires <= self._clock.monotonic():
            del self._entries[key]
            return None
        return value
