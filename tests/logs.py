"""What the service logs while a test runs."""

import asyncio
import logging

import pytest

from service.observability.answered import PAUSE_SECONDS
from service.observability.logging import JsonFormatter


class Log:
    """The lines of all requests, and the records of the loggers `service` and `janua`, as JSON."""

    def __init__(self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
        self._capsys = capsys
        self._caplog = caplog
        for logger in ("service", "janua"):
            caplog.set_level(logging.DEBUG, logger=logger)
        caplog.handler.setFormatter(JsonFormatter())  # formatted when emitted, while the request is known

    async def read(self) -> str:
        """All that was logged since this was called last."""
        await written()
        text = self._capsys.readouterr().out + self._caplog.text
        self._caplog.clear()
        return text


async def written() -> None:
    """Wait until the lines of requests that have ended were written."""
    await asyncio.sleep(2 * PAUSE_SECONDS)
