"""One load for a missing key, however many ask for it.

Who asks first loads. Who asks while that load runs must not be given its result as it is: the load may have read
the database before a logout that was answered before this request came. So they wait for it together, look again
in the cache, where the first load has left a copy that is proven to be fresh, and only if there is none load
once more, again together: a request shares no load but one that begins after it came. So no lease and no
invalidation is needed to share loads, and a hundred askers cost one load with a cache and two without.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Recall = Callable[[], Awaitable[T | None]]
Load = Callable[[], Coroutine[Any, Any, T]]


class Flights(Generic[T]):
    """The loads that run now, and those that wait for them, by key.

    A load is a task of its own: that the one who began it is cancelled does not hurt the others.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}
        self._waiting: dict[str, asyncio.Task[T]] = {}

    async def share(self, key: str, recall: Recall[T], load: Load[T]) -> T:
        """The result of `load`, or of `recall` after another's load. Raises what `load` raises."""
        running = self._running.get(key)
        if running is None:
            task = self._start(key, load())
        else:
            task = self._waiting.get(key) or self._queue(key, running, recall, load)
        return await asyncio.shield(task)

    def _start(self, key: str, load: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(load)
        self._running[key] = task
        task.add_done_callback(lambda done: self._land(key, done))
        return task

    def _queue(self, key: str, running: asyncio.Task[T], recall: Recall[T], load: Load[T]) -> asyncio.Task[T]:
        async def follow() -> T:
            await asyncio.wait({running})
            found = await recall()
            return await load() if found is None else found

        task = asyncio.create_task(follow())
        self._waiting[key] = task
        task.add_done_callback(lambda done: self._land(key, done))
        return task

    def _land(self, key: str, done: asyncio.Task[T]) -> None:
        if self._running.get(key) is done:
            del self._running[key]
            if key in self._waiting:  # now it runs: whoever asks from here on came too late to share it
                self._running[key] = self._waiting.pop(key)
        if not done.cancelled():
            done.exception()  # whoever asked may be gone, and an error that nobody fetched would be logged
