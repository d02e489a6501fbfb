"""Runs the set-up's steps side by side, each after those it needs, and tells how each goes."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

HEARTBEAT_SECONDS = 30


class SetupError(RuntimeError):
    """A step cannot be done here; the message says what to do about it."""


@dataclass(frozen=True)
class Step:
    """One step: `action` does it and returns a few words on what it found or did; it may run again at any time."""

    name: str
    action: Callable[[], str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a step ended: `error` is None when it succeeded."""

    name: str
    seconds: float
    said: str
    error: Exception | None = None


def run(steps: list[Step], workers: int = 6) -> list[Outcome]:
    """Run every step whose needs succeeded; return the outcomes in the order in which they ended.

    A failed step stops those that need it, not the others. A need that is not among `steps` counts as met.
    """
    waiting = {step.name: step for step in steps}
    names = frozenset(waiting)
    outcomes: list[Outcome] = []
    running: dict[Future[Outcome], str] = {}
    with ThreadPoolExecutor(workers) as pool:
        while waiting or running:
            succeeded = {o.name for o in outcomes if o.error is None}
            for step in _ready(waiting, names, succeeded):
                running[pool.submit(_timed, waiting.pop(step.name))] = step.name
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                del running[future]
                outcomes.append(future.result())
    return outcomes


def _ready(waiting: dict[str, Step], names: frozenset[str], succeeded: set[str]) -> list[Step]:
    return [step for step in waiting.values() if succeeded.issuperset(names.intersection(step.needs))]


def _timed(step: Step) -> Outcome:
    started = time.monotonic()
    finished = threading.Event()
    heartbeat = threading.Thread(target=_report, args=(step.name, started, finished), daemon=True)
    heartbeat.start()
    try:
        said, error = step.action(), None
    except Exception as failure:  # noqa: BLE001 - whatever went wrong belongs to this step's outcome
        said, error = f"FAILED: {failure}", failure
    finished.set()
    seconds = time.monotonic() - started
    print(f"  {step.name:<24} {seconds:6.1f} s  {said}", flush=True)
    return Outcome(step.name, seconds, said, error)


def _report(name: str, started: float, finished: threading.Event) -> None:
    while not finished.wait(HEARTBEAT_SECONDS):
        print(f"  {name:<24} {time.monotonic() - started:6.1f} s  … still at it", flush=True)
