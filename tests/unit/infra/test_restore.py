"""Whatever ends a restore before the databases change places, what was restored does not stay."""

from collections.abc import Iterator
from typing import Any

import pytest
from docker.errors import APIError

from infra.operations.jobs import JobError
from infra.operations.restore import restore

STEPS = ["restore", "backup", "migrate", "forget_migration", "swap", "outlast_copies"]


class FakeJobs:
    """Jobs that note that they were done, until one fails."""

    def __init__(self, **failing: BaseException) -> None:
        self.failing = failing
        self.done: list[str] = []
        self.spared = ""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self._do(name) if name == "forget_migration" else self._lines(name)

    def backup(self, spare: str) -> Iterator[str]:
        self.spared = spare
        return self._lines("backup")

    def _lines(self, name: str) -> Iterator[str]:
        self._do(name)
        yield f"{name} is done"

    def _do(self, name: str) -> None:
        if name in self.failing:
            raise self.failing[name]
        self.done.append(name)


def run(jobs: Any) -> None:
    restore(jobs, "staging-1.dump")


def test_its_steps_come_in_their_order_and_the_dump_is_spared(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = FakeJobs()
    run(jobs)
    assert jobs.done == STEPS
    assert jobs.spared == "staging-1.dump"
    assert "swap is done" in capsys.readouterr().out


@pytest.mark.parametrize("step", STEPS[1:-1])
@pytest.mark.parametrize("error", [JobError("no room"), KeyboardInterrupt(), APIError("the engine")], ids=repr)
def test_what_was_restored_is_dropped_when_a_step_fails(step: str, error: BaseException) -> None:
    jobs = FakeJobs(**{step: error})
    with pytest.raises(type(error)):
        run(jobs)
    assert jobs.done == [*STEPS[: STEPS.index(step)], "discard"]


def test_what_failed_first_is_told_even_if_that_cannot_be_dropped() -> None:
    with pytest.raises(JobError, match="no room"):
        run(FakeJobs(migrate=JobError("no room"), discard=JobError("the database is away")))


def test_a_dump_that_is_refused_leaves_nothing_to_drop() -> None:
    jobs = FakeJobs(restore=JobError("refused"))
    with pytest.raises(JobError, match="refused"):
        run(jobs)
    assert jobs.done == []
