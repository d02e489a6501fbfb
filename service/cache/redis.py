"""Redis as the store that all replicas share, and as what passes their messages on.

One connection that is lost marks Redis as down: from then on look-ups fail at once instead of waiting for a time-out
each, until `ping` (`CacheKeeper` sends one several times a lease) has opened another. A command that Redis refuses,
because it is read-only or out of memory, fails alone: what can still be read is read.

Entries and marks carry the incarnation of the server that they were written to (`RedisConnection.incarnation`):
whatever a server holds from before its start, or from before it followed another one, is not there for us.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from service.cache.connection import ConnectionLostError, RedisConnection, RefusedError
from service.cache.protocol import CacheUnavailableError, Entry, Fence, Listener, Usage
from service.clock import Clock
from service.observability.context import note_operation, operation_begins
from service.observability.metrics import Metrics
from service.settings import Settings, read_secret

_log = logging.getLogger(__name__)

SYSTEM = "redis"
_CHANNEL = b"janua:cache"
# KEYS: the mark, the fence, then the keys. ARGV: the ticket, the version, then milliseconds and value of each key.
_FILL = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if tonumber(redis.call('GET', KEYS[2]) or -1) > tonumber(ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])
for i = 3, #KEYS do redis.call('SET', KEYS[i], ARGV[2 * i - 2], 'PX', ARGV[2 * i - 3]) end
return 1
"""
# KEYS: the fence, then what is removed. ARGV: the version, milliseconds.
_FENCE_OFF = """
local version = math.max(tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or -1))
redis.call('SET', KEYS[1], string.format('%d', version), 'PX', ARGV[2])
for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end
return redis.status_reply('OK')
"""
_REASONS = {"READONLY": "readonly", "OOM": "oom"}
_USED_MEMORY = re.compile(rb"^used_memory:(\d+)", re.MULTILINE)


class RedisBackend:
    """A store in Redis."""

    tier = "redis"

    def __init__(self, settings: Settings, metrics: Metrics, clock: Clock) -> None:
        self._connection = RedisConnection(
            settings.redis_url,
            read_secret(settings.redis_password_file),
            timeout_seconds=settings.redis_timeout_seconds,
            on_message=lambda _, message: self._listener.heard(message) if self._listener else None,
            on_lost=self._lost,
            clock=clock,
        )
        self._metrics = metrics
        self._listener: Listener | None = None
        self._is_up = True
        metrics.redis_up.set(0)

    async def get(self, key: str) -> bytes | None:
        """The value of a key, if this incarnation of the server was given it."""
        raw: bytes | None = await self._send("GET", key)
        prefix = self._connection.incarnation
        return raw[len(prefix) :] if raw is not None and raw.startswith(prefix) else None

    async def put(self, entries: Mapping[str, Entry]) -> None:
        """Store the entries, whatever was there."""
        for key, entry in entries.items():
            await self._send("SET", key, self._own(entry.value), "PX", _milliseconds(entry.seconds))

    async def reserve(self, mark: str, ticket: str, seconds: float) -> bool:
        """Set `mark` to `ticket` unless another loader's mark is there; whether it was set."""
        answer = await self._send("SET", mark, self._own(ticket.encode()), "NX", "PX", _milliseconds(seconds))
        return answer is not None

    async def fill(self, mark: str, ticket: str, entries: Mapping[str, Entry], fence: Fence) -> bool:
        """Store the entries and remove the mark, if the mark still holds the ticket and the fence lets them pass."""
        arguments: list[Any] = [self._own(ticket.encode()), fence.version]
        for entry in entries.values():
            arguments += [_milliseconds(entry.seconds), self._own(entry.value)]
        return bool(await self._send("EVAL", _FILL, 2 + len(entries), mark, fence.key, *entries, *arguments))

    async def remove(self, *keys: str) -> None:
        """Remove keys and marks."""
        await self._send("DEL", *keys)

    async def fence_off(self, keys: Sequence[str], fence: Fence, seconds: float) -> None:
        """Remove keys and marks, and for so long refuse what is older."""
        arguments = fence.key, *keys, fence.version, _milliseconds(seconds)
        await self._send("EVAL", _FENCE_OFF, 1 + len(keys), *arguments)

    def tell(self, message: bytes) -> None:
        """Publish a message; what became of it shows in whether it is heard."""
        try:
            sent = self._connection.send("PUBLISH", _CHANNEL, message)
        except ConnectionLostError as error:
            raise CacheUnavailableError from error
        sent.add_done_callback(lambda answer: answer.cancelled() or answer.exception())

    def listen(self, listener: Listener) -> None:
        """Let a listener hear the messages, from the next successful `ping` on."""
        self._listener = listener

    async def ping(self) -> None:
        """Return if Redis answers and still is the server that it was; connect to it again if need be."""
        was_open = self._connection.is_open
        try:
            await self._connection.open(_CHANNEL)
            if was_open:
                await self._connection.read_incarnation()
        except (ConnectionLostError, RefusedError) as error:
            raise self._unavailable(error) from error
        if not self._connection.is_open:
            raise CacheUnavailableError  # lost again before this task went on
        if not was_open and self._listener:
            self._listener.joined()
        if not self._is_up:
            _log.warning("redis_up")
        self._is_up = True
        self._metrics.redis_up.set(1)

    async def usage(self) -> Usage:
        """What the store holds; the keys are not listed: that would mean to SCAN all of them."""
        entries, memory = await self._send("DBSIZE"), await self._send("INFO", "memory")
        found = _USED_MEMORY.search(memory)
        return Usage(entries, int(found[1]) if found else 0, None)

    async def close(self) -> None:
        """Close the connection, once what was told has left."""
        with suppress(CacheUnavailableError):
            await self._send("PING")
        await self._connection.close()

    def _own(self, value: bytes) -> bytes:
        return self._connection.incarnation + value

    async def _send(self, *command: Any) -> Any:
        name = command[0]
        text = name if isinstance(name, str) else name.decode()
        began = operation_begins()
        try:
            answer = await self._connection.send(*command)
        except (ConnectionLostError, RefusedError) as error:
            note_operation(SYSTEM, text, began, error)
            raise self._unavailable(error) from error
        note_operation(SYSTEM, text, began)
        return answer

    def _unavailable(self, error: ConnectionLostError | RefusedError) -> CacheUnavailableError:
        if isinstance(error, ConnectionLostError):
            self._mark_down(str(error))
        self._metrics.count_store_failure(_reason(error))
        return CacheUnavailableError()

    def _mark_down(self, reason: str) -> None:
        if self._is_up:
            _log.warning("redis_down", extra={"fields": {"error": reason}})
        self._is_up = False
        self._metrics.redis_up.set(0)

    def _lost(self) -> None:
        self._mark_down("the connection was lost")
        if self._listener:
            self._listener.left()


def _reason(error: BaseException) -> str:
    """How a failure is counted; a connection may have been refused in its handshake."""
    if isinstance(error.__cause__, RefusedError):
        return _reason(error.__cause__)
    if isinstance(error, RefusedError):
        return _REASONS.get(error.code, "refused")
    return "timeout" if isinstance(error, ConnectionLostError) and error.timed_out else "unreachable"


def _milliseconds(seconds: float) -> int:
    return max(1, int(1000 * seconds))
