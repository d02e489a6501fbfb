"""A constant 200 requests a second through the edge, while something is done to the stack."""

import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from urllib.parse import urlsplit

from bench.load.generator import Generator, generator
from bench.load.open import OpenLoop
from bench.load.requests import API, Request, Workload, validation
from tests.e2e.deployment import Deployment

REQUESTS_PER_SECOND = 200
CONNECTIONS = 32
# The load goes on in runs of so many seconds, back to back.
RUN_SECONDS = 5
USERS = 20
PASSWORD = "a passphrase of somebody who asks"


@dataclass
class Answers:
    """How often each status came, by kind of request, and the first answer that was not right."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    not_right: int = 0
    first_not_right: str = ""
    runs: int = 0

    @property
    def count(self) -> int:
        """How many requests were sent."""
        return self.statuses.total()

    def require_all_right(self) -> None:
        """AssertionError unless every request, of as many as were to be sent, got the right answer."""
        assert self.not_right == 0, (self.statuses, self.first_not_right)
        assert self.count == self.runs * RUN_SECONDS * REQUESTS_PER_SECOND > 0


@dataclass(frozen=True)
class Users(Workload):
    """Validations and profiles of some users, in turn; the answers have to name the right one."""

    tokens: tuple[tuple[str, str], ...]

    def __iter__(self) -> Iterator[Request]:
        """Begin the sequence."""
        for user_id, token in cycle(self.tokens):
            for path in (f"{API}/validate", f"{API}/me"):
                yield validation(token, None, path)._replace(contains=user_id.encode())


@contextmanager
def asking(staging: Deployment) -> Iterator[Answers]:
    """Ask all the time; afterwards `Answers` is complete."""
    answers, done = Answers(), threading.Event()
    load = OpenLoop(
        urlsplit(staging.api_url).port or 80, _users(staging), CONNECTIONS, REQUESTS_PER_SECOND, RUN_SECONDS
    )
    with generator() as sender:
        thread = threading.Thread(target=_ask, args=(sender, load, answers, done))
        thread.start()
        try:
            yield answers
        finally:
            done.set()
            thread.join()


def _ask(sender: Generator, load: OpenLoop, answers: Answers, done: threading.Event) -> None:
    while not done.is_set():
        samples = sender.run(load)
        answers.runs += 1
        answers.statuses += samples.statuses
        answers.not_right += samples.not_right()
        answers.first_not_right = answers.first_not_right or samples.first_not_right


def _users(staging: Deployment) -> Users:
    tokens = []
    with staging.api() as api:
        for _ in range(USERS):
            account = {"email": f"{secrets.token_hex(6)}@example.com", "password": PASSWORD}
            made = api.post("/api/v1/auth/signup", json=account).raise_for_status().json()
            token = api.post("/api/v1/auth/login", json=account).raise_for_status().json()["access_token"]
            tokens.append((made["id"], token))
    return Users(tuple(tokens))
