"""Redis as the store that all replicas share.

A command that fails marks Redis as down, and from then on look-ups fail at once instead of waiting for a
time-out each; only a ping that succeeds (`CacheKeeper` sends one several times a lease) marks it as up
again. Removals are always tried: skipping one would cost a logout more than it saves.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from service.cache.protocol import CacheUnavailableError, Entry, Fence, Usage
from service.observability.metrics import Metrics
from service.settings import Settings, read_secret

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

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
"""


class RedisBackend:
    """A store in Redis."""

    tier = "redis"

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        seconds = settings.redis_timeout_seconds
        # One retry without a pause: after a restart of Redis the pool is full of dead connections.
        pool = BlockingConnectionPool.from_url(
            settings.redis_url,
            password=read_secret(settings.redis_password_file),
            max_connections=settings.redis_pool_size,
            timeout=seconds,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=Retry(NoBackoff(), 1),
        )
        self._redis = Redis.from_pool(pool)
        self._fill = self._redis.register_script(_FILL)
        self._fence_off = self._redis.register_script(_FENCE_OFF)
        self._seconds = seconds
        self._gauge = metrics.redis_up
        self._up = True
        self._gauge.set(0)

    async def get(self, *keys: str) -> list[bytes | None]:
        """The values of the keys, in their order."""
        self._require_up()
        command: Awaitable[Any] = self._redis.get(keys[0]) if len(keys) == 1 else self._redis.mget(keys)
        found = await self._wait_for(command)
        return [found] if len(keys) == 1 else list(found)

    async def put(self, entries: Mapping[str, Entry]) -> None:
        """Store the entries, whatever was there."""
        self._require_up()
        pipeline = self._redis.pipeline(transaction=False)
        for key, entry in entries.items():
            pipeline.set(key, entry.value, px=_milliseconds(entry.seconds))
        await self._wait_for(pipeline.execute())

    async def reserve(self, mark: str, ticket: str, seconds: float) -> bool:
        """Set `mark` to `ticket` unless another loader's mark is there; whether it was set."""
        self._require_up()
        return bool(await self._wait_for(self._redis.set(mark, ticket, nx=True, px=_milliseconds(seconds))))

    async def fill(self, mark: str, ticket: str, entries: Mapping[str, Entry], fence: Fence) -> bool:
        """Store the entries and remove the mark, if the mark still holds the ticket and the fence lets them pass."""
        self._require_up()
        arguments: list[Any] = [ticket, fence.version]
        for entry in entries.values():
            arguments += [_milliseconds(entry.seconds), entry.value]
        return bool(await self._wait_for(self._fill(keys=[mark, fence.key, *entries], args=arguments)))

    async def remove(self, *keys: str) -> None:
        """Remove keys and marks; tried even while Redis is marked as down."""
        await self._wait_for(self._redis.delete(*keys))

    async def fence_off(self, keys: Sequence[str], fence: Fence, seconds: float) -> None:
        """Remove keys and marks, and for so long refuse what is older; tried even while Redis is marked as down."""
        arguments = [fence.version, _milliseconds(seconds)]
        await self._wait_for(self._fence_off(keys=[fence.key, *keys], args=arguments))

    async def ping(self) -> None:
        """Return if Redis answers, and mark it as up."""
        await self._wait_for(self._redis.ping())
        if not self._up:
            _log.warning("redis_up")
        self._up = True
        self._gauge.set(1)

    async def usage(self) -> Usage:
        """What the store holds; the keys are not listed: that would mean to SCAN all of them."""
        self._require_up()
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.dbsize()
        pipeline.info("memory")
        entries, memory = await self._wait_for(pipeline.execute())
        return Usage(entries, memory["used_memory"], None)

    async def close(self) -> None:
        """Close every connection."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    def _require_up(self) -> None:
        if not self._up:
            raise CacheUnavailableError

    async def _wait_for(self, command: Awaitable[_T]) -> _T:
        try:
            # redis-py bounds connecting and each read; this also bounds a retry and the name's resolution.
            async with asyncio.timeout(2 * self._seconds):
                return await command
        except (RedisError, OSError, TimeoutError) as error:
            if self._up:
                _log.warning("redis_down", extra={"fields": {"error": f"{type(error).__name__}: {error}"}})
            self._up = False
            self._gauge.set(0)
            raise CacheUnavailableError from error


def _milliseconds(seconds: float) -> int:
    return max(1, int(1000 * seconds))
