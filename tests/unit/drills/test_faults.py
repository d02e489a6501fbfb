"""What a killed drill leaves is found and taken out, and what is well is left alone."""

from typing import Any

import pytest

from drills import faults
from drills.stack import Stack
from infra.containers import CPU_PERIOD
from infra.tiers.application import PROCESSORS

DEPLOYED = {"cpu_period": CPU_PERIOD, "cpu_quota": PROCESSORS * CPU_PERIOD}


class FakeContainer:
    """A container that notes what is done to it."""

    def __init__(self, name: str, status: str = "running", period: int = CPU_PERIOD) -> None:
        self.name, self.status = name, status
        self.attrs = {"HostConfig": {"CpuPeriod": period}}
        self.done: list[Any] = []

    def start(self) -> None:
        self.done.append("start")

    def kill(self) -> None:
        self.done.append("kill")

    def unpause(self) -> None:
        self.done.append("unpause")

    def update(self, **limits: int) -> None:
        self.done.append(limits)


class FakeStack(Stack):
    """A stack of the fakes, whose database has the trigger or not."""

    def with_parts(self, *found: FakeContainer, trigger: bool = False) -> "FakeStack":
        object.__setattr__(self, "found", list(found))
        object.__setattr__(self, "trigger", trigger)
        object.__setattr__(self, "ran", [])
        return self

    def containers(self) -> Any:
        return self.found  # type: ignore[attr-defined]

    def parts(self, name: str) -> Any:
        return self.found  # type: ignore[attr-defined]

    def execute(self, part: str, script: str) -> str:
        self.ran.append(script)  # type: ignore[attr-defined]
        return "1\n" if self.trigger else "0\n"  # type: ignore[attr-defined]


def stack() -> FakeStack:
    return FakeStack("test", "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3")


def test_each_left_over_is_taken_out_and_named() -> None:
    well, dead, paused, slow = (
        FakeContainer("edge"),
        FakeContainer("redis", "exited"),
        FakeContainer("postgres", "paused"),
        FakeContainer("service-1", period=faults.THROTTLED_PERIOD),
    )
    found = faults.clear(broken := stack().with_parts(well, dead, paused, slow, trigger=True))
    assert (well.done, dead.done, paused.done, slow.done) == ([], ["start"], ["unpause"], [DEPLOYED])
    assert len(found) == 4
    assert "DROP TRIGGER" in broken.ran[-1]  # type: ignore[attr-defined]


def test_nothing_is_done_to_a_stack_that_is_well() -> None:
    assert faults.clear(fine := stack().with_parts(FakeContainer("redis"))) == []
    assert not any("DROP" in script for script in fine.ran)  # type: ignore[attr-defined]


def test_a_drill_that_breaks_off_takes_its_fault_out() -> None:
    victim = FakeContainer("redis")
    with pytest.raises(KeyboardInterrupt), faults.dead(stack().with_parts(victim), "redis"):
        raise KeyboardInterrupt
    assert victim.done == ["kill", "start"]


def test_throttled_replicas_get_their_processors_back() -> None:
    replica = FakeContainer("service-1")
    with faults.throttled_replicas(stack().with_parts(replica)):
        assert replica.done == [{"cpu_period": faults.THROTTLED_PERIOD, "cpu_quota": faults.THROTTLED_QUOTA}]
    assert replica.done[-1] == DEPLOYED
