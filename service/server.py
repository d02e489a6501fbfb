"""The server: uvicorn, which answers from memory at once, and drains before it stops.

An application may have an attribute `direct`, a function that is asked for a whole response before a task is made for
the request; where it has none to give the application is called as ever (`_Protocol`).

The first SIGTERM or SIGINT makes `/readyz` answer 503, so that whoever hands out requests chooses another replica;
everything else is served as before for `JANUA_DRAIN_SECONDS`, except that each answer ends its connection. Then
uvicorn stops accepting and gives the requests in progress `JANUA_SHUTDOWN_SECONDS`. A second signal skips the
draining; a SIGINT after that skips the rest.

A process that was asked to stop and did exits with 0. Plain uvicorn sends itself the signal again and dies of it:
a container engine would show that as a failure (143), and as process 1 the signal has no effect at all.
"""

import logging
import signal
import time
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.settings import Settings

_log = logging.getLogger(__name__)

# Whoever keeps connections must be the one to hang up: a request that is sent while the server closes an idle
# connection is lost. The edge purges its idle ones after seconds; uvicorn's own 5 seconds would race with it.
KEEP_ALIVE_SECONDS = 75


class _Protocol(HttpToolsProtocol):
    """uvicorn's, except for requests whose answer is at hand: they need no task, and one system call."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        answer = self._find_answer(cycle)
        if answer is None:
            super()._start_asgi_task(cycle, app)
            return
        self.transport.write(answer)
        cycle.response_started = cycle.response_complete = True
        done, cycle.on_response = (
            cycle.on_response,
            _nothing,
        )  # it leads back to this protocol: no cycle for the collector
        done()

    def _find_answer(self, cycle: RequestResponseCycle) -> bytes | None:
        """The response, if the connection goes on afterwards and nothing else waits on it."""
        direct = self.config.app.direct  # type: ignore[union-attr]
        is_plain = cycle.keep_alive and not self.flow.write_paused and not self.pipeline
        # Headers of the server's own are there while it drains: they end the connection.
        if not is_plain or self.config.encoded_headers:
            return None
        try:
            answer: bytes | None = direct(cycle.scope, cycle.default_headers)
        except Exception:  # noqa: BLE001 - whatever it is: the application answers, or fails, as ever
            _log.exception("direct_answer_failed")
            return None
        return answer


def _nothing() -> None:
    """What happens when a response is complete that was complete before."""


class DrainingServer(uvicorn.Server):
    """Serves an application, whose `state.draining` is true from the first signal on."""

    def __init__(self, app: Starlette, settings: Settings) -> None:
        # One worker: several would each answer a scrape with their own share of the counters.
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=_Protocol if hasattr(app, "direct") else HttpToolsProtocol,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
        super().__init__(config)
        self._state = app.state
        self._drain_seconds = settings.drain_seconds
        self._drained_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Take note of a signal; the server looks ten times a second."""
        if not self._state.draining:
            self._state.draining = True
        elif not self.should_exit:
            self.should_exit = True
        elif sig == signal.SIGINT:
            self.force_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Do what is due; whether the server has to stop now."""
        if not self._state.draining:
            return await super().on_tick(counter)
        now = time.monotonic()
        if self._drained_at is None:
            _log.info("draining", extra={"fields": {"seconds": self._drain_seconds}})
            self._drained_at = now + self._drain_seconds
            self.config.encoded_headers.append((b"connection", b"close"))
        if now >= self._drained_at:
            self.should_exit = True
        # At 0, as each second, uvicorn takes over the headers for the answers to come.
        return await super().on_tick(0)
