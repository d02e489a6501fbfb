import pulumi
import pytest

from infra import steps


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(steps, "_remove", found.append)
    return found


def test_a_step_that_succeeds_gives_its_log(removed: list[str]) -> None:
    assert steps._require_success("migrate", 0, "done\n", ["a"]) == "done\n"
    assert removed == []


def test_a_step_that_fails_tells_the_end_of_its_log_and_is_run_again(removed: list[str]) -> None:
    log = "\n".join(f"line {number}" for number in range(100))
    with pytest.raises(pulumi.RunError) as error:
        steps._require_success("judge", 3, log, ["judge-id", "smoke-id"])
    assert "step 'judge' failed with exit code 3" in str(error.value)
    assert "line 99" in str(error.value)
    assert "line 59" not in str(error.value)
    assert removed == ["judge-id", "smoke-id"]


def test_a_preview_does_not_stumble_over_an_earlier_failure(
    removed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert steps._require_success("migrate", 1, None, ["a"]) == ""
    assert removed == []
