"""The load of a drill: at the edge on 127.0.0.1, at a bounded rate, for a bounded time, in this process alone."""

import asyncio
import json
import secrets
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from bench.load.open import OpenLoop
from bench.load.requests import API, Request, Workload, login, validation
from bench.load.samples import Samples
from drills.drill import Load
from drills.stack import Stack

CONNECTIONS = 32
_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Mixture(Workload):
    """Logins and validations in the proportion of their rates, spread evenly, the users in turn."""

    emails: list[str]
    password: str
    tokens: list[str]
    load: Load

    def __iter__(self) -> Iterator[Request]:
        """Begin the sequence."""
        share = self.load.logins / self.load.rate
        logins = validations = 0
        while True:
            if logins < share * (logins + validations + 1):
                yield login(self.emails[logins % len(self.emails)], self.password)
                logins += 1
            else:
                yield validation(self.tokens[validations % len(self.tokens)], None)
                validations += 1


def prepare(stack: Stack, load: Load) -> Mixture:
    """Sign up users of the drill's own and log them in. Raises OSError if the stack does not let them."""
    name, password = secrets.token_hex(4), secrets.token_urlsafe()
    emails = [f"drill-{name}-{number}@example.com" for number in range(load.users)]
    tokens = []
    for email in emails:
        account = {"email": email, "password": password}
        _post(stack, "signup", account)
        tokens.append(str(_post(stack, "login", account)["access_token"]))
    return Mixture(emails, password, tokens, load)


def send(stack: Stack, mixture: Mixture, seconds: float) -> Samples:
    """Send the mixture for so many seconds, and return what came back."""
    return asyncio.run(_loop(stack, mixture, seconds).run())


@contextmanager
def sending(stack: Stack, mixture: Mixture, seconds: float) -> Iterator[None]:
    """Send the mixture beside what is done meanwhile; it ends with that, or after so many seconds."""
    loop = asyncio.new_event_loop()
    work = loop.create_task(_loop(stack, mixture, seconds).run())
    thread = Thread(target=_run, args=(loop, work), daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(work.cancel)
        thread.join()
        loop.close()


def _loop(stack: Stack, mixture: Mixture, seconds: float) -> OpenLoop:
    return OpenLoop(stack.api_port, mixture, CONNECTIONS, mixture.load.rate, seconds)


def _run(loop: asyncio.AbstractEventLoop, work: "asyncio.Task[object]") -> None:
    asyncio.set_event_loop(loop)
    # Cancelled is how it ends when the drill is over first.
    loop.run_until_complete(asyncio.wait([work]))


def _post(stack: Stack, path: str, body: dict[str, str]) -> dict[str, object]:
    request = urllib.request.Request(  # noqa: S310 - the address is the stack's own
        f"{stack.api_url}{API}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        found: dict[str, object] = json.load(answer)
    return found
