import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.jobs import promote


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(promote, "BACKEND", tmp_path / "backend.cfg")
    monkeypatch.setattr(promote, "MASTER_SOCKET", tmp_path / "master.sock")
    monkeypatch.setenv("SERVERS", "new-1:8000,new-2:8000")
    return tmp_path


@pytest.fixture
def master(volume: Path) -> Iterator[queue.SimpleQueue[str]]:
    """A master process that answers one reload with the word that is put into the queue."""
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(volume / "master.sock"))
    server.listen()

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            assert connection.recv(100) == b"reload\n"
            connection.sendall(answers.get(timeout=10).encode())

    thread = threading.Thread(target=serve)
    thread.start()
    yield answers
    thread.join(10)
    server.close()


def test_the_first_release_is_written_for_an_edge_that_starts_later(volume: Path) -> None:
    assert promote.main() == 0
    assert "server replica2 new-2:8000" in (volume / "backend.cfg").read_text()


def test_a_running_edge_is_reloaded(volume: Path, master: queue.SimpleQueue[str]) -> None:
    master.put("Success=1\n--\n")
    assert promote.main() == 0
    assert "new-1:8000" in (volume / "backend.cfg").read_text()


def test_a_refused_reload_fails_and_puts_the_old_backend_back(
    volume: Path, master: queue.SimpleQueue[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (volume / "backend.cfg").write_text("the old one")
    master.put("Success=0\n--\n[ALERT] unknown keyword\n")
    assert promote.main() == 1
    assert (volume / "backend.cfg").read_text() == "the old one"
    assert "unknown keyword" in capsys.readouterr().out


def test_a_socket_that_an_ended_edge_left_is_no_edge(volume: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(volume / "master.sock"))
    dead.close()
    assert promote.main() == 0
