"""Copies in the memory of replicas: none is served once a revocation was answered, whatever gets lost."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from service.cache.coherence import Alone, Membership
from service.cache.near import NearCache
from service.cache.protocol import CacheUnavailableError, Listener
from service.clock import ManualClock

LEASE = 4.0
KEY = "token:validation:abc"


async def turn() -> None:
    """Let everybody who can go on do so."""
    for _ in range(3):
        await asyncio.sleep(0)


class Channel:
    """What passes messages on to all listeners in one order; each hears them when it gets to it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def spread(self, message: bytes) -> None:
        for line in self.lines:
            if line.is_open:
                line.waiting.append(message)


@dataclass(eq=False)
class Line:
    """One replica's connection to the channel."""

    channel: Channel
    is_open: bool = False
    waiting: deque[bytes] = field(default_factory=deque)
    listener: Listener | None = None

    def listen(self, listener: Listener) -> None:
        self.listener = listener

    def tell(self, message: bytes) -> None:
        if not self.is_open:
            raise CacheUnavailableError
        self.channel.spread(message)


class Replica:
    """A replica that may be connected, cut off, or not get to hear."""

    def __init__(self, channel: Channel, clock: ManualClock) -> None:
        self.clock = clock
        self.near = NearCache(100, clock)
        self.line = Line(channel)
        channel.lines.append(self.line)
        self.membership = Membership(self.line, self.near, clock, LEASE)  # type: ignore[arg-type]

    def join(self) -> None:
        self.line.is_open = True
        self.membership.joined()

    def cut(self) -> None:
        if self.line.is_open:
            self.line.is_open = False
            self.line.waiting.clear()
            self.membership.left()

    def hear(self, count: int = 1_000) -> None:
        for _ in range(min(count, len(self.line.waiting))):
            self.membership.heard(self.line.waiting.popleft())

    def beat(self) -> None:
        with suppress(CacheUnavailableError):
            self.membership.beat()

    def load(self) -> Callable[[], None]:
        """Read the value now; what is given stores it later."""
        version = self.near.version
        return lambda: self.near.put(KEY, "alive", 5, 1_000, version)

    def serves(self) -> bool:
        """Whether a validation would be answered from memory."""
        return self.clock.monotonic() < self.membership.fresh_until and self.near.get(KEY) is not None


class World:
    """Replicas, their channel and their time."""

    def __init__(self, count: int) -> None:
        self.clock = ManualClock()
        self.channel = Channel()
        self.replicas = [Replica(self.channel, self.clock) for _ in range(count)]

    async def settle(self) -> None:
        """Let everybody hear everything, and everybody who waits for that go on."""
        for _ in range(6):
            for replica in self.replicas:
                replica.hear()
            await turn()

    async def start(self) -> "World":
        """Everybody has joined long ago and has a lease and a copy."""
        for replica in self.replicas:
            replica.join()
        self.clock.advance(2 * LEASE)
        await self.beat()
        for replica in self.replicas:
            replica.load()()
            assert replica.serves()
        return self

    async def beat(self) -> None:
        for replica in self.replicas:
            replica.beat()
        await self.settle()


async def test_everybody_forgets_before_the_revoker_goes_on() -> None:
    world = await World(3).start()
    revoker, *others = world.replicas
    revoking = asyncio.create_task(revoker.membership.invalidate([KEY]))
    await turn()
    revoker.hear()
    others[0].hear()
    revoker.hear()
    await turn()
    assert not revoking.done()  # the third has not heard of it
    assert others[1].serves()
    await world.settle()
    assert await revoking is True
    assert not any(replica.serves() for replica in world.replicas)


async def test_who_does_not_answer_is_waited_for_until_its_lease_is_over() -> None:
    world = await World(2).start()
    revoker, silent = world.replicas
    revoking = asyncio.create_task(revoker.membership.invalidate([KEY]))
    await turn()
    revoker.hear()
    world.clock.advance(0.9 * LEASE)
    await turn()
    assert not revoking.done()
    assert silent.serves()
    world.clock.advance(0.2 * LEASE)
    await turn()
    assert await revoking is False
    assert not silent.serves()
    # It comes to itself: what it missed is what it hears first.
    silent.beat()
    silent.hear()
    assert world.clock.monotonic() < silent.membership.fresh_until
    assert not silent.serves()


async def test_one_that_has_gone_is_not_waited_for() -> None:
    world = await World(2).start()
    revoker, going = world.replicas
    going.membership.leave()
    going.line.is_open = False
    await world.settle()
    revoking = asyncio.create_task(revoker.membership.invalidate([KEY]))
    await world.settle()
    assert await revoking is True


async def test_in_its_first_lease_a_revoker_waits_for_those_it_could_not_hear() -> None:
    world = await World(2).start()
    old, new = world.replicas
    new.cut()
    world.clock.advance(2 * LEASE)
    old.beat()
    old.hear()
    old.load()()
    new.join()  # and `old` says nothing more
    revoking = asyncio.create_task(new.membership.invalidate([KEY]))
    await turn()
    new.hear()
    world.clock.advance(0.9 * LEASE)
    await turn()
    assert not revoking.done()
    assert old.serves()
    world.clock.advance(0.2 * LEASE)
    await turn()
    assert await revoking is False
    assert not old.serves()


async def test_without_a_connection_it_cannot_be_told() -> None:
    world = await World(2).start()
    revoker, other = world.replicas
    revoker.cut()
    with pytest.raises(CacheUnavailableError):
        await revoker.membership.invalidate([KEY])
    assert other.serves()  # which is why the generation has to be raised


@pytest.mark.parametrize("how", ["cut", "never heard"])
async def test_a_revoker_that_does_not_hear_itself_cannot_know(how: str) -> None:
    world = await World(2).start()
    revoker = world.replicas[0]
    revoking = asyncio.create_task(revoker.membership.invalidate([KEY]))
    await turn()
    if how == "cut":
        revoker.cut()
    else:
        revoker.line.waiting.clear()
        world.clock.advance(LEASE)
    with pytest.raises(CacheUnavailableError):
        await revoking


async def test_a_message_that_was_lost_shows_in_the_next_one() -> None:
    world = await World(2).start()
    revoker, unlucky = world.replicas
    revoking = asyncio.create_task(revoker.membership.invalidate([KEY]))
    await turn()
    unlucky.line.waiting.clear()
    await world.settle()
    assert not revoking.done()
    assert unlucky.serves()
    world.clock.advance(LEASE / 4)
    await world.beat()
    assert world.clock.monotonic() < unlucky.membership.fresh_until
    assert not unlucky.serves()
    world.clock.advance(LEASE)
    assert await revoking is False


@pytest.mark.parametrize("message", [b"", b"[]", b"{}", b'["beat"]', b'["future", "x", 1]', b"\xff"])
async def test_a_message_that_makes_no_sense_is_ignored(message: bytes) -> None:
    world = await World(1).start()
    world.replicas[0].membership.heard(message)
    assert world.replicas[0].serves()


async def test_a_store_of_ones_own_needs_nobody() -> None:
    alone = Alone()
    alone.beat()
    assert await alone.invalidate([KEY]) is True
    assert alone.fresh_until == float("inf")
    alone.leave()


@pytest.mark.parametrize("seed", range(150))
async def test_whatever_happens_nothing_revoked_is_served(seed: int) -> None:
    """Random schedules of heartbeats, delays, pauses, cuts, loads and revocations by several replicas."""
    chance = random.Random(seed)  # noqa: S311 - a schedule, nothing secret
    world = await World(3).start()
    answered = 0
    for _ in range(20):
        loads: list[Callable[[], None]] = []
        for _ in range(chance.randint(0, 20)):
            await step(world, chance, loads, may_load=True)
        # The session ends, and is gone from the store: nobody reads it any more, but some have just read it.
        revoking = asyncio.create_task(chance.choice(world.replicas).membership.invalidate([KEY]))
        for _ in range(chance.randint(1, 60)):
            await step(world, chance, loads)
            if revoking.done():
                break
        else:
            await release(world, revoking)
        if revoking.exception() is None:
            answered += 1
            for _ in range(20):
                await step(world, chance, loads)
                assert not any(replica.serves() for replica in world.replicas)
        await restore(world)
    assert answered > 0


async def step(world: World, chance: random.Random, loads: list[Callable[[], None]], *, may_load: bool = False) -> None:
    """Let one thing happen."""
    replica = chance.choice(world.replicas)
    match chance.choice(["hear", "hear", "beat", "time", "cut", "join", "load", "store"]):
        case "hear":
            replica.hear(chance.randint(1, 4))
        case "beat":
            replica.beat()
        case "time":
            world.clock.advance(chance.choice([0.1, 0.5, 1.0, LEASE]))
        case "cut" if chance.random() < 0.2:
            replica.cut()
        case "join" if not replica.line.is_open:
            replica.join()
        case "load" if may_load:
            loads.append(replica.load())
        case "store" if loads:
            loads.pop(chance.randrange(len(loads)))()
    await turn()


async def release(world: World, revoking: asyncio.Task[bool]) -> None:
    """Let a revocation come to its end."""
    for _ in range(10):
        await world.settle()
        if revoking.done():
            return
        world.clock.advance(LEASE)
        await turn()
    raise AssertionError("a revocation never ended")


async def restore(world: World) -> None:
    """Everybody is connected and has a lease and a copy again."""
    for replica in world.replicas:
        if not replica.line.is_open:
            replica.join()
    await world.settle()
    await world.beat()
    for replica in world.replicas:
        replica.load()()
