import os
from pathlib import Path

import pytest

from infra.setup import engine
from infra.setup.steps import SetupError


@pytest.fixture
def pid_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the pid of an engine that was started here is kept; no engine answers."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(engine, "answering", lambda: None)
    (tmp_path / "janua").mkdir()
    return tmp_path / "janua" / "dockerd.pid"


def test_an_engine_that_answers_is_used_as_it_is(pid_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "answering", lambda: "28.0.1")
    assert engine.ensure() == "28.0.1 answers"
    assert engine.stop() == "no engine of ours"


def test_an_engine_of_somebody_elses_is_not_replaced(pid_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(SetupError, match="no engine answers at DOCKER_HOST=tcp://127"):
        engine.ensure()


def test_no_engine_is_installed_where_the_host_may_not_be_changed(
    pid_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JANUA_HOST_CHANGES", "off")
    with pytest.raises(SetupError, match="this is yours to do: install and start a Docker Engine"):
        engine.ensure()


def test_a_process_that_took_over_the_pid_is_left_alone(pid_file: Path) -> None:
    pid_file.write_text(str(os.getpid()))
    assert engine.stop() == "the engine that was started here is gone already"
    assert not pid_file.exists()


def test_a_pid_that_nobody_has_is_forgotten(pid_file: Path) -> None:
    pid_file.write_text("4194304")
    assert engine.stop() == "the engine that was started here is gone already"
    assert not pid_file.exists()
