import pulumi
import pytest

from infra import steps
from infra.steps import Outcome


class Witness:
    """Notes what it is told of, and what had been removed by then."""

    def __init__(self, removed: list[str]) -> None:
        self.removed = removed
        self.told: list[tuple[int, str, int]] = []

    def __call__(self, exit_code: int, log: str) -> None:
        self.told.append((exit_code, log, len(self.removed)))


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(steps, "remove", found.append)
    monkeypatch.setattr("infra.refusal.stop", lambda replicas: found.extend(f"stopped {each}" for each in replicas))
    return found


@pytest.fixture
def witness(removed: list[str]) -> Witness:
    return Witness(removed)


def test_a_step_that_succeeds_gives_its_log(removed: list[str], witness: Witness) -> None:
    assert steps._require_success("migrate", witness, Outcome(0, "done\n", ["a"], ["b"])) == "done\n"
    assert removed == []
    assert witness.told == [(0, "done\n", 0)]


def test_a_step_that_fails_tells_the_end_of_its_log_and_is_run_again(removed: list[str], witness: Witness) -> None:
    log = "\n".join(f"line {number}" for number in range(100))
    with pytest.raises(pulumi.RunError) as error:
        steps._require_success("judge", witness, Outcome(3, log, ["judge-id", "smoke-id"], ["new-1", "new-2"]))
    assert "step 'judge' failed with exit code 3" in str(error.value)
    assert "line 99" in str(error.value)
    assert "line 59" not in str(error.value)
    assert removed == ["judge-id", "smoke-id", "stopped new-1", "stopped new-2"]
    assert witness.told == [(3, log, 0)]


def test_a_step_that_need_not_succeed_fails_nothing(removed: list[str], witness: Witness) -> None:
    assert steps._require_success("smoke", witness, Outcome(99, "log", ["a"], ["b"]), must_succeed=False) == "log"
    assert (removed, witness.told) == ([], [(99, "log", 0)])


def test_a_preview_does_not_stumble_over_an_earlier_failure(
    removed: list[str], witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert steps._require_success("migrate", witness, Outcome(1, None, ["a"], ["b"])) == ""
    assert (removed, witness.told) == ([], [])
