"""The generation that a cached entry must carry to be believed, and why a revoked token never passes.

PostgreSQL is the authority on revocation; Redis holds copies. Three things could bring a copy of a revoked
session, or of a user before a change, back:

1.  *A slow loader.* A request reads the live session, a logout commits and removes the copies, and only then
    does the request store what it read. So nobody stores what was loaded without a ticket: a loader first
    writes a mark of its own (`reserve`), loads, and stores only if its mark is still there (`fill`, one step
    in Redis). A logout removes the mark together with the copies, after its commit. A loader that marked
    before that removal has lost its ticket; one that marks after it loads after the commit and sees the
    revoked session. A mark that is lost (Redis restarted, the mark expired) refuses the copy: losing one can
    only cost a load. A tombstone written by the logout would be safe only as long as it is not lost.

2.  *A removal that did not reach Redis.* Redis may be cut off from the replica that revokes but not from the
    others, or come back later with what it held. So every entry carries a number, the generation, which
    PostgreSQL holds (`cache_generation`), and a replica believes only entries of the present one. A replica
    that could not remove a copy raises the generation, which makes every copy worthless, and answers the
    logout only when every replica must have noticed: each reads the number several times within a lease
    (`JANUA_CACHE_LEASE_SECONDS`) and believes the cache only until one lease after its last successful
    reading began. A replica that cannot read it, or that was paused, asks PostgreSQL instead.

3.  *A loader that nobody knows of.* A user's roles are changed while another of the user's sessions is being
    ended or refreshed: its token is in no list of live ones, its mark is still there, and with the session the
    loader would store the user as it was. So each user has a version (`users.version`), what was loaded is
    stored with the version that was read, and a change leaves a fence in the store (`fence_off`) that refuses
    older ones for as long as a load may take. A fence is lost only together with the marks of all loaders. The
    other way round, a login that has read an older version opens no session (`open_session`), and whoever has
    changed a user then looks for its sessions, those too that ended while copies of them may be left.

4.  *A Redis that comes back with what it held before*: restored from a snapshot, or another server after a
    failover. Each entry and each mark carries the incarnation of the server that it was written to, which is
    another one since (`service/cache/redis.py`).

The price: a logout while Redis is down takes one lease; everything else costs a small background query.
Copies in the memory of a replica need more than this: see `service/cache/coherence.py`.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import select, update

from service.clock import Clock
from service.database.engine import Database
from service.database.tables import cache_generation

_log = logging.getLogger(__name__)


class Generation(Protocol):
    """Tells which cached entries may be believed."""

    def current(self) -> int | None:
        """The generation that entries must carry; None while none may be believed."""

    async def refresh(self) -> None:
        """Read the generation anew; called several times within a lease."""

    async def advance(self) -> None:
        """Make every present entry worthless; returned from when that holds in every replica."""


class LocalGeneration:
    """For a cache of this process alone, which nobody else can read."""

    def __init__(self) -> None:
        self._value = 0

    def current(self) -> int | None:
        """The number; it is always known."""
        return self._value

    async def refresh(self) -> None:
        """Nothing to read."""

    async def advance(self) -> None:
        """Raise the number."""
        self._value += 1


class NoGeneration:
    """For a service that is to believe no copy at all."""

    def current(self) -> int | None:
        """None, always."""
        return None

    async def refresh(self) -> None:
        """Nothing to read."""

    async def advance(self) -> None:
        """Nothing is believed anyway."""


class SharedGeneration:
    """The generation in the database, for a cache that replicas share."""

    def __init__(
        self, database: Database, clock: Clock, lease_seconds: float, on_rise: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._on_rise = on_rise
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._value = 0
        self._believed_until = float("-inf")

    def current(self) -> int | None:
        """The number as last read; None if that is more than a lease ago."""
        return self._value if self._clock.monotonic() < self._believed_until else None

    async def refresh(self) -> None:
        """Read the number from the database; the lease counts from before the query was sent."""
        started = self._clock.monotonic()
        async with asyncio.timeout(self._lease_seconds), self._database.reading() as connection:
            value = (await connection.execute(select(cache_generation.c.value))).scalar_one()
        # Two readings may overlap: an older number must not come back.
        if value > self._value:
            self._on_rise()
        if value >= self._value:
            self._value = value
            self._believed_until = max(self._believed_until, started + self._lease_seconds)

    async def advance(self) -> None:
        """Raise the number in the database and wait for one lease."""
        async with self._database.writing(None) as connection:
            await connection.execute(update(cache_generation).values(value=cache_generation.c.value + 1))
        _log.warning("cache_generation_advanced", extra={"fields": {"wait_seconds": self._lease_seconds}})
        await self._clock.sleep(self._lease_seconds)
