"""Passwords: argon2id, at OWASP's parameters or above, in a bounded pool of threads off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from service.observability.context import INTERNAL, note_operation, operation_begins
from service.observability.metrics import Metrics
from service.problems import too_busy
from service.settings import Settings

MIN_LENGTH = 8
MAX_LENGTH = 128

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Passwords:
    """Hashes and verifies passwords, as many at a time as there are workers."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.hash_time_cost,
            memory_cost=settings.hash_memory_kib,
            parallelism=settings.hash_parallelism,
            type=Type.ID,
        )
        self._pool = ThreadPoolExecutor(settings.hash_workers, thread_name_prefix="hash")
        self._deadline_seconds = settings.hash_deadline_seconds
        self._queue_depth = metrics.hash_queue_depth
        self._hashes = metrics.hashes
        self._rejections = metrics.hash_rejections
        # Verified for users that do not exist, so that they cost what others cost.
        self._nobody = self._hasher.hash("")

    async def hash(self, password: str) -> str:
        """The encoded hash of a password. Problems: 429."""
        return await self._in_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; one hash also for None, which nothing matches. Problems: 429."""
        matches = await self._in_thread(self._matches, password_hash or self._nobody, password)
        return matches and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than those in force."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Let the running hashes end and drop the waiting ones."""
        self._pool.shutdown(cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        # libsodium chooses the widest vectors that the processor has, argon2-cffi those of its build: 17.0 against
        # 20.7 ms of CPU (`make bench ONLY=login`). It verifies hashes of any parallelism, but makes those of 1 only.
        try:
            return argon2id.verify(password_hash.encode(), password.encode())
        except CryptoError:
            return False

    async def _in_thread(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        def work() -> _T:
            self._queue_depth.dec()
            self._hashes.inc()
            return function(*args, **kwargs)

        began = operation_begins()
        self._queue_depth.inc()
        future = self._pool.submit(work)
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            self._rejections.inc()
            raise too_busy(max(1, round(self._deadline_seconds))) from None
        finally:
            note_operation(INTERNAL, "hash a password", began)
            if future.cancelled():  # it never began
                self._queue_depth.dec()
