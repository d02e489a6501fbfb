"""Why a copy in this process may be served although another replica may just have revoked the token.

A promise and its proof, for replicas on one host and on several alike: they need nothing in common but the store
(Redis), which passes messages on to all listeners in one order, and clocks that run at about the same speed. One store
is one: of two masters at once neither knows who listens to the other, so let clients be cut off before a failover.

1.  *A replica serves copies only under a lease.* It sends a heartbeat several times a lease
    (`JANUA_CACHE_MEMORY_LEASE_SECONDS`) and hears it come back like everybody else. Having heard it, it may serve
    copies until one lease after the moment at which that heartbeat was *sent*. It forgets all copies and its lease when
    its connection breaks. A replica that was paused finds its lease over at the first look at the clock.
2.  *Who revokes tells everybody and waits.* After the commit and after the removal from the store it sends a
    drop, and hears it come back as well. Whoever hears a drop forgets those copies, and then acknowledges.
3.  *Whom it waits for.* A lease that is not over at that moment stems from a heartbeat. If the store passed it on
    before the drop, the revoker has heard it too, and waits for that replica: until it acknowledges, or until
    one lease after the heartbeat was heard, which is later than its sending. If the store passes the heartbeat on
    after the drop, its sender hears the drop first, because the order is the same for all: with the lease it
    cannot gain back what it forgot. What it was just loading it does not keep (`NearCache.version`).
4.  *What the revoker could not hear.* Heartbeats from before it joined: so in its first lease it waits for the
    end of that lease. If it loses its connection, or never hears its own drop, it cannot tell: then it raises
    the generation instead (`service/cache/generation.py`), which takes everybody a lease to notice.

A replica that is cut off, paused or dead costs the revoker the rest of one lease, and nothing else. A connection loses
no message without breaking; should one be lost all the same, the next heartbeat of its sender shows the gap in that
sender's numbers, and whoever sees it forgets all its copies: well within the lease for which the revoker waits, since
that replica has not acknowledged. Time is measured by the clock that counts a suspended machine's time too; a wall
clock that steps changes nothing. One percent is added for clocks that run at different speeds.
"""

import asyncio
import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Protocol

from service.cache.near import NearCache
from service.cache.protocol import CacheBackend, CacheUnavailableError
from service.clock import Clock

_DRIFT = 1.01
_NEVER = float("-inf")
_UNHEARD_OF = "whoever sent the last heartbeat before this replica joined"


class Coherence(Protocol):
    """Keeps the copies in the memory of replicas from being served when they should not."""

    fresh_until: float
    """Until when, on the monotonic clock, copies in this process may be served."""

    def beat(self) -> None:
        """Renew the lease; called several times within one. Raises CacheUnavailableError."""

    async def invalidate(self, keys: Sequence[str]) -> bool:
        """Let no replica serve copies under these keys any more: when this returns, none does.

        Whether all have confirmed it; else the leases of those that have not are over. Raises
        CacheUnavailableError if that cannot be known.
        """

    def leave(self) -> None:
        """Tell the others not to wait for this replica any more."""


class Alone:
    """For a store of this process alone: there are no copies but the store's own."""

    fresh_until = float("inf")

    def beat(self) -> None:
        """Nothing to renew."""

    async def invalidate(self, keys: Sequence[str]) -> bool:  # noqa: ARG002
        """Nobody to tell."""
        return True

    def leave(self) -> None:
        """Nobody to tell."""


class _Drop:
    """A drop on its way: when it was heard, who has to forget until when, and that all have."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.heard: asyncio.Future[None] = loop.create_future()
        self.forgotten: asyncio.Future[None] = loop.create_future()
        self.until = _NEVER
        self._missing: set[str] = set()

    def begin(self, leases: dict[str, float]) -> None:
        """It was heard: these replicas have leases until then."""
        self._missing = set(leases)
        self.until = max(leases.values(), default=_NEVER)
        self.heard.set_result(None)
        self._check()

    def confirm(self, member: str) -> None:
        """A replica has forgotten its copies, or has gone."""
        self._missing.discard(member)
        self._check()

    def _check(self) -> None:
        if self.heard.done() and not self._missing and not self.forgotten.done():
            self.forgotten.set_result(None)


class Membership:
    """Coherence among the replicas that share a store; it listens there."""

    def __init__(self, store: CacheBackend, near: NearCache, clock: Clock, lease_seconds: float) -> None:
        self.fresh_until = _NEVER
        self._store = store
        self._near = near
        self._clock = clock
        self._lease = lease_seconds
        self._name = secrets.token_hex(8)
        self._numbers = count(1)
        self._joined_at: float | None = None
        self._sent: dict[int, float] = {}
        """When the heartbeats were sent that were not heard yet, by number."""
        self._leases: dict[str, float] = {}
        """When the leases of the other replicas are over at the latest."""
        self._drops: dict[int, _Drop] = {}
        self._heard_last: dict[str, int] = {}
        """The numbers of the last heartbeat or drop of the other replicas."""
        store.listen(self)

    def beat(self) -> None:
        """Send a heartbeat; hearing it renews the lease. Raises CacheUnavailableError."""
        now = self._clock.monotonic()
        self._sent = {number: sent for number, sent in self._sent.items() if sent > now - self._lease}
        self._leases = {member: until for member, until in self._leases.items() if until > now}
        self._heard_last = {member: last for member, last in self._heard_last.items() if member in self._leases}
        number = next(self._numbers)
        self._sent[number] = now
        self._tell("beat", number)

    async def invalidate(self, keys: Sequence[str]) -> bool:
        """Tell every replica to forget these keys, and wait until it has or its lease is over."""
        self._near.drop(keys)
        number, drop = next(self._numbers), _Drop()
        self._drops[number] = drop
        try:
            self._tell("drop", number, *keys)
            await self._first_of(drop.heard, self._clock.monotonic() + self._lease)
            if drop.heard.cancelled() or not drop.heard.done():
                raise CacheUnavailableError
            await self._first_of(drop.forgotten, drop.until)
            return drop.forgotten.done()
        finally:
            del self._drops[number]

    def leave(self) -> None:
        """Forget the copies, and tell the others not to wait."""
        joined = self._joined_at is not None
        self.left()
        if joined:
            self._tell("bye", 0)

    def joined(self) -> None:
        """Begin anew: what was missed is unknown."""
        self.left()
        self._joined_at = self._clock.monotonic()

    def left(self) -> None:
        """Serve no copy until the next lease."""
        self._joined_at = None
        self.fresh_until = _NEVER
        self._sent.clear()
        self._heard_last.clear()
        self._near.clear()
        for drop in self._drops.values():
            drop.heard.cancel()  # nobody can know any more whom it would have to wait for

    def heard(self, message: bytes) -> None:
        """Act on a message; one that cannot be read, of another release perhaps, is ignored."""
        with suppress(ValueError, CacheUnavailableError):
            self._act_on(message)

    def _act_on(self, message: bytes) -> None:
        verb, name, number, *rest = json.loads(message)
        if name == self._name:
            self._heard_own(verb, number)
        elif verb in {"beat", "drop"}:
            if number != self._heard_last.get(name, number - 1) + 1:
                self._near.clear()
            self._heard_last[name] = number
            self._heard_other(verb, name, number, rest)
        elif verb == "forgotten" and rest == [self._name] and number in self._drops:
            self._drops[number].confirm(name)
        elif verb == "bye":
            self._leases.pop(name, None)
            self._heard_last.pop(name, None)
            for drop in self._drops.values():
                drop.confirm(name)

    def _heard_other(self, verb: str, name: str, number: int, keys: Sequence[str]) -> None:
        if verb == "drop":
            self._near.drop(keys)
            self._tell("forgotten", number, name)
        else:
            self._leases[name] = self._lease_from(self._clock.monotonic())

    def _heard_own(self, verb: str, number: int) -> None:
        if verb == "beat" and number in self._sent:
            self.fresh_until = max(self.fresh_until, self._sent.pop(number) + self._lease)
        elif verb == "drop" and number in self._drops and self._joined_at is not None:
            now = self._clock.monotonic()
            leases = {_UNHEARD_OF: self._lease_from(self._joined_at), **self._leases}
            self._drops[number].begin({member: until for member, until in leases.items() if until > now})

    def _lease_from(self, heard_at: float) -> float:
        """When a lease is over at the latest whose heartbeat was heard then."""
        return heard_at + _DRIFT * self._lease

    def _tell(self, verb: str, number: int, *rest: str) -> None:
        message: list[Any] = [verb, self._name, number, *rest]
        self._store.tell(json.dumps(message).encode())

    async def _first_of(self, future: asyncio.Future[None], until: float) -> None:
        """Wait for a future, but not longer than that."""
        seconds = until - self._clock.monotonic()
        if future.done() or seconds <= 0:
            return
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({future, sleep}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
