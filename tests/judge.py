"""Judges what replicas say of sessions by what they have said before, whatever happens around them."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from math import inf

from tests.harness import eventually
from tests.replicas import SeededSession
from tests.wire import Answer, Wire

VALIDATE, LOGOUT = "/api/v1/auth/validate", "/api/v1/auth/logout"


class Judge:
    """Sends validations and logouts, and keeps every answer that was wrong.

    Wrong are: a token accepted by a request that began after its logout was answered, a token refused before its
    logout was sent, a logout refused, and every other status than these answers have. `wrong` has a line for each.
    """

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.ended: dict[SeededSession, float] = {}
        """When logouts were answered, in the order of the answers."""
        self.validations = 0
        self._ending: dict[SeededSession, float] = {}
        self._logouts_allowed = asyncio.Event()
        self._logouts_allowed.set()
        self._logouts_running = 0

    async def validate(self, client: Wire, session: SeededSession) -> Answer:
        """Ask a replica for a session, and judge the answer."""
        began, ended = time.monotonic(), session in self.ended
        answer = await client.request("GET", VALIDATE, session.token)
        self.validations += 1
        sent_before_logout = time.monotonic() < self._ending.get(session, inf)
        if answer.status not in (200, 401):
            self._note("answered", answer, client, began)
        elif answer.status == 200 and ended:
            self._note(f"accepted {began - self.ended[session]:.3f} s after its logout", answer, client, began)
        elif answer.status == 401 and sent_before_logout:
            self._note("refused before its logout", answer, client, began)
        return answer

    async def log_out(self, client: Wire, session: SeededSession) -> None:
        """End a session through a replica; from the answer on nobody may accept its token."""
        await self._logouts_allowed.wait()
        began = self._ending[session] = time.monotonic()
        self._logouts_running += 1
        answer = await client.request("POST", LOGOUT, session.token)
        self._logouts_running -= 1
        if answer.status == 204:
            self.ended[session] = time.monotonic()
        else:
            self._note("logout refused", answer, client, began)

    @asynccontextmanager
    async def no_logouts(self) -> AsyncIterator[None]:
        """Let those that were sent be answered, and no others be sent until the block ends."""
        self._logouts_allowed.clear()
        try:
            await eventually(lambda: not self._logouts_running)
            yield
        finally:
            self._logouts_allowed.set()

    async def on_each(self, clients: Sequence[Wire], sessions: Sequence[SeededSession]) -> None:
        """Ask every replica for each of the sessions."""
        for session in sessions:
            await asyncio.gather(*(self.validate(client, session) for client in clients))

    def _note(self, what: str, answer: Answer, client: Wire, began: float) -> None:
        self.wrong.append(f"{client.url} {what}: {answer.status} {answer.body!r}, asked at {began:.3f}")
