"""One load for a missing key, and none shared that began before a request came."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from service.cache.flights import Flights


class Source:
    """What is loaded, and what loading leaves behind for others."""

    def __init__(self) -> None:
        self.loads = 0
        self.value = "first"
        self.copy: str | None = None
        self.gate = asyncio.Event()
        self.keeps_copies = True
        self.error: Exception | None = None

    async def load(self) -> str:
        self.loads += 1
        read = self.value
        await self.gate.wait()
        if self.error:
            raise self.error
        self.copy = read if self.keeps_copies else None
        return read

    async def recall(self) -> str | None:
        return self.copy


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def ask(source: Source) -> Callable[[], Awaitable[str]]:
    flights: Flights[str] = Flights()
    return lambda: flights.share("key", source.recall, source.load)


async def one_of(ask: Callable[[], Awaitable[str]]) -> str:
    return await ask()


async def begin(ask: Callable[[], Awaitable[str]], count: int) -> list["asyncio.Task[str]"]:
    tasks = [asyncio.create_task(one_of(ask)) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_five_hundred_askers_cost_one_load(source: Source, ask: Callable[[], Awaitable[str]]) -> None:
    tasks = await begin(ask, 500)
    source.gate.set()
    assert set(await asyncio.gather(*tasks)) == {"first"}
    assert source.loads == 1


async def test_without_a_cache_they_cost_two(source: Source, ask: Callable[[], Awaitable[str]]) -> None:
    source.keeps_copies = False
    tasks = await begin(ask, 500)
    source.gate.set()
    await asyncio.gather(*tasks)
    assert source.loads == 2


async def test_who_comes_later_gets_nothing_that_was_read_before(
    source: Source, ask: Callable[[], Awaitable[str]]
) -> None:
    """A logout between the two requests: the load of the first has read what was so before it."""
    source.keeps_copies = False
    [early] = await begin(ask, 1)
    source.value = "second"
    late = await begin(ask, 2)
    source.gate.set()
    assert await early == "first"
    assert [await one for one in late] == ["second", "second"]


async def test_the_one_who_began_may_go(source: Source, ask: Callable[[], Awaitable[str]]) -> None:
    first, *others = await begin(ask, 3)
    first.cancel()
    source.gate.set()
    assert await asyncio.gather(*others) == ["first", "first"]
    assert first.cancelled()
    assert source.loads == 1


async def test_an_error_is_everybodys_own(source: Source, ask: Callable[[], Awaitable[str]]) -> None:
    source.error = LookupError("gone")
    tasks = await begin(ask, 3)
    source.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 3
    assert source.loads == 2
    # Nothing is left of it.
    source.error = None
    assert await ask() == "first"


async def test_askers_one_after_the_other_each_load(source: Source, ask: Callable[[], Awaitable[str]]) -> None:
    source.gate.set()
    source.keeps_copies = False
    assert [await ask() for _ in range(3)] == ["first"] * 3
    assert source.loads == 3
