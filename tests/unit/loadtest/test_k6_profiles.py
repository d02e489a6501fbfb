"""The profiles: their shapes, by users and by rate, and what is said of settings that make no sense."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.loadtest.k6_suite import CANNOT_BEGIN, THRESHOLDS_FAILED, Service, k6, plan, run


@pytest.mark.parametrize(
    ("profile", "users", "seconds"),
    [("smoke", 1, 30), ("load", 100, 120), ("stress", 500, 180), ("spike", 500, 140), ("soak", 100, 1800)],
)
def test_the_profiles_are_those_of_the_specification(suite: Path, profile: str, users: int, seconds: int) -> None:
    planned = plan(suite, TYPE=profile)
    assert planned["maxVUs"] == users
    assert lengths(planned, profile) == seconds


def test_a_profile_keeps_its_shape_when_it_lasts_shorter_or_longer(suite: Path) -> None:
    as_it_is, shorter = (plan(suite, TYPE="spike", DURATION=duration) for duration in ("", "14s"))
    assert lengths(shorter, "spike") == 14
    assert [stage["duration"] for stage in shorter["scenarios"]["spike"]["stages"]] == ["3s", "1s", "6s", "1s", "3s"]
    assert shorter["maxVUs"] == as_it_is["maxVUs"]
    assert lengths(plan(suite, TYPE="smoke", DURATION="2m"), "smoke") == 120


def test_with_a_rate_iterations_begin_however_slow_the_answers_are(suite: Path) -> None:
    smoke = plan(suite, TYPE="smoke", RATE="0.5")["scenarios"]["smoke"]
    assert (smoke["executor"], smoke["rate"], smoke["timeUnit"]) == ("constant-arrival-rate", 30, "1m0s")
    assert smoke["duration"] == "30s"
    spike = plan(suite, TYPE="spike", RATE="50")["scenarios"]["spike"]
    assert (spike["executor"], spike["startRate"], spike["timeUnit"]) == ("ramping-arrival-rate", 60, "1m0s")
    assert [stage["target"] for stage in spike["stages"]] == [60, 3000, 3000, 60, 60]


@pytest.mark.parametrize("profile", ["smoke", "load", "stress", "spike", "soak"])
def test_a_rate_takes_no_more_users_than_the_largest_profile(suite: Path, profile: str) -> None:
    planned = plan(suite, TYPE=profile, RATE="500")
    assert planned["maxVUs"] == 500
    assert planned["scenarios"][profile]["preAllocatedVUs"] == 500


def test_a_rate_is_held(suite: Path, replicas: list[Service]) -> None:
    for _ in range(3):  # if the machine stands still k6 begins too few, or catches up beyond the end of the second
        replicas[0].emails.clear()
        code, output, summary = k6(suite, RATE="7", BASE_URL=replicas[0].url)
        if 7 <= summary["iterations"] <= 8:
            break
    assert (code, summary["dropped_iterations"], summary["rate"]) == (0, 0, 7)
    assert 7 <= summary["iterations"] == len(replicas[0].emails) <= 8
    assert "7 iterations/s" in output


def test_a_rate_that_cannot_be_held_fails_the_run(suite: Path, replicas: list[Service]) -> None:
    executors = suite / "k6" / "lib" / "executors.js"
    assert "MAX_USERS = 500" in executors.read_text()
    executors.write_text(executors.read_text().replace("MAX_USERS = 500", "MAX_USERS = 1"))
    for _ in range(3):  # in a machine that stands still for the whole second no iteration comes while another goes on
        code, _, summary = k6(suite, RATE="20", BASE_URL=replicas[0].url)
        if summary["dropped_iterations"] > 0:
            break
    assert code == THRESHOLDS_FAILED
    assert summary["dropped_iterations"] > 0
    assert summary["thresholds_failed"] == ["dropped_iterations count<1"]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"TYPE": "everything"}, "TYPE is one of smoke, load, stress, spike, soak"),
        ({"RATE": "fast"}, "RATE is a number from 0.1 to 500"),
        ({"RATE": "0"}, "RATE is a number from 0.1 to 500"),
        ({"RATE": "501"}, "RATE is a number from 0.1 to 500"),
        ({"DURATION": "soon"}, "DURATION is a number with s, m or h behind it"),
        ({"DURATION": "0s"}, "DURATION is a number with s, m or h behind it"),
        ({"PROGRESS_SECONDS": "-1"}, "PROGRESS_SECONDS is a number from 0 to 3600"),
        ({"BASE_URL": "service:8000"}, "not an address of the service"),
    ],
)
def test_what_makes_no_sense_is_named(suite: Path, variables: dict[str, str], said: str) -> None:
    result = run(suite, **variables)
    assert result.returncode == CANNOT_BEGIN
    assert said in result.stderr


def lengths(planned: dict[str, Any], profile: str) -> int:
    """Return how many seconds all stages last."""
    return sum(_seconds(stage["duration"]) for stage in planned["scenarios"][profile]["stages"])


def _seconds(duration: str) -> int:
    """Read durations as k6 prints them, such as 1m40s."""
    minutes, _, rest = duration.rpartition("m")
    return 60 * int(minutes or 0) + int(rest.removesuffix("s") or 0)
