"""The process that sends: the measuring one must not stand in its way, nor it be counted as the measured."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from typing import Protocol

import uvloop

from bench.load.samples import Samples


class Load(Protocol):
    """A run of load, described: it is sent to the generator's process."""

    async def run(self) -> Samples:
        """Send, and collect what came back."""


class Generator:
    """Runs loads one after the other."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def run(self, load: Load) -> Samples:
        """Run a load to its end."""
        return self.start(load).result()

    def start(self, load: Load) -> Future[Samples]:
        """Begin a load; the result is there when it has ended."""
        return self._pool.submit(_run, load)


@contextmanager
def generator() -> Iterator[Generator]:
    """A generator in a process of its own, which is gone at the end, with a load that is under way if need be."""
    # Started anew instead of forked: a fork would share the measuring process's connections.
    context = multiprocessing.get_context("spawn")
    # An interrupt is for the measuring process, which then ends this one.
    pool = ProcessPoolExecutor(1, context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        yield Generator(pool)
    except BaseException:
        for process in list(pool._processes.values()):  # the pool itself can only wait
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _run(load: Load) -> Samples:
    # At once on the processor when it has to be: on another machine it would not wait for the measured programs.
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    before = time.process_time()
    samples = uvloop.run(load.run())
    samples.generator_cpu_seconds = time.process_time() - before
    return samples
