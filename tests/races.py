"""Races between logouts and validations, and what happened around each of them."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.judge import Judge
from tests.replicas import SeededSession
from tests.wire import Wire

_RECHECKED = 100


@dataclass
class Races:
    """Races on several replicas, and how many of them met which fault."""

    clients: Sequence[Wire]
    judge: Judge = field(default_factory=Judge)
    injected: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    disturbed: int = 0
    """How many met any fault."""
    _fault: str | None = None
    _running: dict[SeededSession, set[str]] = field(default_factory=dict)

    async def run(self, session: SeededSession, revoker: Wire, delay: float) -> None:
        """Let every replica have copies, read on each while one is told to end the session, and ask all again."""
        self._running[session] = {self._fault} if self._fault else set()
        done = asyncio.Event()
        await self.judge.on_each(self.clients, [session])
        readers = [asyncio.create_task(self._read(client, session, done)) for client in self.clients]
        await asyncio.sleep(delay)
        await self.judge.log_out(revoker, session)
        done.set()
        await asyncio.gather(*readers)
        await self.judge.on_each(self.clients, [session])
        faults = self._running.pop(session)
        self.met.update(faults)
        self.disturbed += bool(faults)

    @contextmanager
    def under(self, fault: str) -> Iterator[None]:
        """Note that there is a fault until the block ends."""
        self._fault = fault
        for faults in self._running.values():
            faults.add(fault)
        yield
        self._fault = None
        self.injected[fault] += 1

    async def recheck(self, sessions: Sequence[SeededSession] = ()) -> None:
        """Ask every replica again, at once, for sessions that ended some time ago; by default the last hundred."""
        ended = sessions or list(self.judge.ended)[-_RECHECKED:]
        await asyncio.gather(*(self.judge.on_each(self.clients, [session]) for session in ended))

    async def _read(self, client: Wire, session: SeededSession, done: asyncio.Event) -> None:
        """Validate until the logout is answered, more and more seldom: during a fault that takes seconds."""
        pause = 0.25
        while not done.is_set():
            await self.judge.validate(client, session)
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), pause)
            pause *= 2
