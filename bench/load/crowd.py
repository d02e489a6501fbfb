"""Users who think: each logs in, then validates its token again and again, with a pause after each answer.

Or they have logged in before, and validate the tokens of their sessions.
"""

import asyncio
import json
import time
from dataclasses import dataclass

from bench.load.client import Client
from bench.load.requests import Request, login, validation
from bench.load.samples import Samples
from loadtest.population.users import Population

# Who could not log in does not hammer: a service that was short of breath for a moment can recover.
_RETRY_SECONDS = 5


@dataclass(frozen=True)
class Crowd:
    """So many users for `seconds`, each with a connection of its own; they arrive one by one in `arrival_seconds`."""

    port: int
    population: Population
    users: int
    pause_seconds: float
    arrival_seconds: float
    seconds: float
    logs_in: bool = True

    async def run(self) -> Samples:
        """Let all of them work until the time is over; answers that are due then are not waited for."""
        samples, started = Samples(), time.monotonic()
        loop = asyncio.get_running_loop()
        users = [_User(self, number, samples, started) for number in range(self.users)]
        for number, user in enumerate(users):
            loop.call_later(number * self.arrival_seconds / self.users, user.act)
        await asyncio.sleep(self.seconds)
        samples.seconds = time.monotonic() - started
        for user in users:
            user.leave()
        return samples


class _User:
    """One of the crowd."""

    def __init__(self, crowd: Crowd, number: int, samples: Samples, started: float) -> None:
        self._crowd = crowd
        self._number = number
        self._samples = samples
        self._started = started
        self._client = Client(crowd.port, self._answered)
        self._token = "" if crowd.logs_in else crowd.population.token(number)
        self._request: Request | None = None
        self._sent_at = 0.0
        self._has_left = False

    def act(self) -> None:
        """Send what comes next."""
        if self._has_left:
            return
        population = self._crowd.population
        if self._token:
            request = validation(self._token, population.user_id(self._number))
        else:
            request = login(population.email(self._number), population.password, tenant=population.tenant(self._number))
        self._request, self._sent_at = request, time.monotonic()
        self._client.send(request.data)

    def leave(self) -> None:
        """Do nothing any more."""
        self._has_left = True
        self._client.close()

    def _answered(self, _client: Client, status: int, body: bytes) -> None:
        assert self._request is not None  # noqa: S101 - there is no answer without a request
        now = time.monotonic()
        self._samples.add(self._request, self._sent_at - self._started, now - self._sent_at, status, body)
        if not self._token and status == self._request.status:
            self._token = json.loads(body)["access_token"]
        pause = self._crowd.pause_seconds if self._token else _RETRY_SECONDS
        asyncio.get_running_loop().call_later(pause, self.act)
