"""What commands that take minutes have in common: lines that say how far they are, and an end in order."""

import signal
import time
from types import FrameType

INTERRUPTED = 130
"""The exit code of a command that was interrupted."""


class Progress:
    """Prints lines with the seconds since it was made."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, line: str) -> None:
        """Print a line at once."""
        print(f"{time.monotonic() - self._begun:6.0f} s  {line}", flush=True)


def end_as_by_ctrl_c() -> None:
    """Let SIGTERM and a closed terminal raise KeyboardInterrupt, as Ctrl-C does: what was started is removed then.

    A signal that is ignored stays so: nohup means that.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
