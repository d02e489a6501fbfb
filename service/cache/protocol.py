"""What the cache service asks of the store behind it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class CacheUnavailableError(Exception):
    """The store did not answer in time, or refused; nothing is known about what it did."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and for how many seconds it may be kept."""

    value: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Fence:
    """A key that holds the version of something: what is of an older one is not stored any more."""

    key: str
    version: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store holds: how many keys, how many bytes, and the keys themselves if it can list them cheaply."""

    entries: int
    memory_bytes: int
    keys: Collection[str] | None


class Listener(Protocol):
    """Hears what the replicas that share a store tell each other."""

    def joined(self) -> None:
        """From now on every message is heard, in the order that is the same for all."""

    def heard(self, message: bytes) -> None:
        """A message, one's own included."""

    def left(self) -> None:
        """Messages may have been missed since, and none is heard until one has joined again."""


class CacheBackend(Protocol):
    """A key-value store whose entries expire. Every method may raise CacheUnavailableError."""

    tier: str
    """The value of the label `tier` in metrics."""

    async def get(self, key: str) -> bytes | None:
        """The value of a key."""

    async def put(self, entries: Mapping[str, Entry]) -> None:
        """Store the entries, whatever was there."""

    async def reserve(self, mark: str, ticket: str, seconds: float) -> bool:
        """Set `mark` to `ticket` unless another loader's mark is there; whether it was set."""

    async def fill(self, mark: str, ticket: str, entries: Mapping[str, Entry], fence: Fence) -> bool:
        """Store the entries and remove the mark, if the mark still holds the ticket and the fence lets them pass.

        Whether it did. Checking and storing are one step: no removal comes between them.
        """

    async def remove(self, *keys: str) -> None:
        """Remove keys and marks."""

    async def fence_off(self, keys: Sequence[str], fence: Fence, seconds: float) -> None:
        """Remove keys and marks, and for so long refuse to fill in what is older than the fence; in one step."""

    def tell(self, message: bytes) -> None:
        """Send a message to every listener of the store, one's own included, which so learns that it was sent."""

    def listen(self, listener: Listener) -> None:
        """Let a listener hear the messages, from the next successful `ping` on."""

    async def ping(self) -> None:
        """Return if the store answers; connects to it again if need be."""

    async def usage(self) -> Usage:
        """What the store holds."""

    async def close(self) -> None:
        """Close every connection."""
