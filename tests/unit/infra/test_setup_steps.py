import os
import stat
import threading
from functools import partial
from pathlib import Path

import pytest

from infra.config import Secrets
from infra.setup import __main__ as setup
from infra.setup import host, python_env, secrets
from infra.setup.steps import SetupError, Step, run


def outcome_names(steps: list[Step]) -> list[str]:
    return [outcome.name for outcome in run(steps)]


def test_a_step_runs_after_those_that_it_needs() -> None:
    order: list[str] = []

    def note(name: str) -> str:
        order.append(name)
        return ""

    steps = [
        Step("last", partial(note, "last"), ("middle",)),
        Step("middle", partial(note, "middle"), ("first",)),
        Step("first", partial(note, "first")),
    ]
    assert outcome_names(steps) == ["first", "middle", "last"]
    assert order == ["first", "middle", "last"]


def test_independent_steps_run_side_by_side() -> None:
    both_are_there = threading.Barrier(2, timeout=10)
    steps = [Step(name, lambda: str(both_are_there.wait())) for name in ("a", "b")]
    assert all(outcome.error is None for outcome in run(steps))


def test_a_failure_stops_what_needs_it_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> str:
        raise SetupError("install the thing")

    steps = [Step("bad", fail), Step("needs it", lambda: "", ("bad",)), Step("other", lambda: "done")]
    outcomes = {outcome.name: outcome for outcome in run(steps)}
    assert set(outcomes) == {"bad", "other"}
    assert isinstance(outcomes["bad"].error, SetupError)
    assert "install the thing" in capsys.readouterr().out


def test_every_need_of_the_set_up_is_a_step() -> None:
    steps = setup.steps("staging")
    names = {step.name for step in steps}
    assert all(set(step.needs) <= names for step in steps)


def test_secrets_are_generated_once_and_readable_by_their_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "FOLDER", tmp_path / "secrets")
    monkeypatch.setattr(secrets, "PASSPHRASE", tmp_path / "secrets" / "passphrase")
    assert "passphrase" in secrets.ensure("staging")
    first = secrets.read("staging")
    assert len(set(first.values())) == len(secrets.NAMES)
    assert all(len(value) >= 32 for value in first.values())
    for path in (tmp_path / "secrets").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert secrets.ensure("staging") == "all there"
    assert secrets.read("staging") == first
    secrets.ensure("other")
    assert secrets.read("other") != first


def test_the_names_of_the_secrets_are_those_of_the_configuration() -> None:
    assert {field.alias for field in Secrets.model_fields.values()} == set(secrets.NAMES)


def test_host_changes_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JANUA_HOST_CHANGES", "off")
    with pytest.raises(SetupError, match="this is yours to do: install thing"):
        host.install_debian(["thing"], "a test")


def test_host_changes_need_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JANUA_HOST_CHANGES", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="needs root: install thing"):
        host.install_debian(["thing"], "a test")


def test_a_program_that_fails_is_reported_with_its_last_words_and_advice() -> None:
    with pytest.raises(SetupError, match=r"(?s)last words.*do this"):
        host.checked(["sh", "-c", "echo last words >&2; exit 3"], "do this")


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(SetupError, match="did not end within 0 s"):
        host.run(["sleep", "60"], seconds=0.05)


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_env, "OLDEST", (9, 9))
    with pytest.raises(SetupError, match=r"Python 9\.9 or newer is needed"):
        python_env.ensure()


def test_an_environment_that_others_use_is_not_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "something").touch()
    link = tmp_path / ".venv"
    link.symlink_to(theirs)
    monkeypatch.setattr(python_env, "VENV", link)
    monkeypatch.setattr(python_env, "STAMP", link / "janua-lock")
    with pytest.raises(SetupError, match="is a link"):
        python_env.ensure()
    assert [path.name for path in theirs.iterdir()] == ["something"]


@pytest.mark.parametrize(
    ("command", "seconds", "succeeded"),
    [(["true"], 30, True), (["false"], 30, False), (["sleep", "60"], 0.5, False)],
)
def test_what_takes_too_long_has_not_succeeded(command: list[str], seconds: float, succeeded: bool) -> None:
    assert host.succeeds(command, seconds=seconds) == succeeded
