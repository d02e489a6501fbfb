"""How a command that takes minutes is ended from outside."""

import os
import signal
from collections.abc import Iterator

import pytest

from infra.progress import end_as_by_ctrl_c

ENDINGS = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The defaults for the test, which may itself run under nohup."""
    before = {ending: signal.signal(ending, signal.SIG_DFL) for ending in ENDINGS}
    yield
    for ending, handler in before.items():
        signal.signal(ending, handler)


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_is_as_by_ctrl_c(ending: signal.Signals) -> None:
    end_as_by_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), ending)


def test_nohup_means_what_it_says() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_as_by_ctrl_c()
    os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
