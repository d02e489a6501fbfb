import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from infra.config import ROOT
from infra.jobs import promote


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(promote, "BACKEND", tmp_path / "backend.cfg")
    monkeypatch.setattr(promote, "MASTER_SOCKET", tmp_path / "master.sock")
    monkeypatch.setenv("SERVERS", "new-1:8000,new-2:8000")
    return tmp_path


WORKERS = "#<PID> <type>\n1 master\n# workers\n55 worker\n"
FORMER_WORKERS = "# old workers\n30 worker\n"


@pytest.fixture
def master(volume: Path) -> Iterator[Callable[..., list[str]]]:
    """Starts a master process that gives such answers, one to each command, and tells the commands."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(volume / "master.sock"))
    server.listen()
    threads = []

    def serve(answers: Sequence[str], commands: list[str]) -> None:
        for answer in answers:
            connection, _ = server.accept()
            with connection:
                commands.append(connection.recv(100).decode())
                connection.sendall(answer.encode())

    def start(*answers: str) -> list[str]:
        commands: list[str] = []
        threads.append(threading.Thread(target=serve, args=(answers, commands), daemon=True))
        threads[-1].start()
        return commands

    yield start
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive(), "an answer was not asked for"
    server.close()


def test_the_first_release_is_written_for_an_edge_that_starts_later(volume: Path) -> None:
    assert promote.main() == 0
    assert "server replica2 new-2:8000" in (volume / "backend.cfg").read_text()


def test_a_running_edge_is_reloaded(volume: Path, master: Callable[..., list[str]]) -> None:
    commands = master("Success=1\n--\n", WORKERS)
    assert promote.main() == 0
    assert commands == ["reload\n", "show proc\n"]
    assert "new-1:8000" in (volume / "backend.cfg").read_text()


def test_a_refused_reload_fails_and_puts_the_old_backend_back(
    volume: Path, master: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    (volume / "backend.cfg").write_text("the old one")
    master("Success=0\n--\n[ALERT] unknown keyword\n")
    assert promote.main() == 1
    assert (volume / "backend.cfg").read_text() == "the old one"
    assert "unknown keyword" in capsys.readouterr().out


def test_a_socket_that_an_ended_edge_left_is_no_edge(volume: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(volume / "master.sock"))
    dead.close()
    assert promote.main() == 0


@pytest.mark.usefixtures("volume")
def test_it_lasts_until_no_worker_of_before_is_left(
    master: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(promote, "PAUSE_SECONDS", 0)
    commands = master("Success=1\n", WORKERS + FORMER_WORKERS, WORKERS + FORMER_WORKERS, WORKERS)
    assert promote.main() == 0
    assert commands == ["reload\n", *["show proc\n"] * 3]
    assert "nothing leads to former replicas" in capsys.readouterr().out


@pytest.mark.usefixtures("volume")
def test_a_worker_that_does_not_end_holds_no_release_up_for_ever(
    master: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(promote, "FORMER_WORKERS_SECONDS", 0)
    monkeypatch.setattr(promote, "PAUSE_SECONDS", 0.01)
    master("Success=1\n", WORKERS + FORMER_WORKERS)
    assert promote.main() == 0
    assert "still there" in capsys.readouterr().out


def test_workers_of_before_are_waited_for_longer_than_they_may_live() -> None:
    limit = re.search(r"hard-stop-after (\d+)s", (ROOT / "infra/edge/haproxy.cfg").read_text())
    assert limit is not None
    assert int(limit[1]) < promote.FORMER_WORKERS_SECONDS
