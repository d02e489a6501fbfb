"""The mailbox takes what Alertmanager sends, and what it prints is read back."""

import socket
from collections.abc import Iterator
from threading import Thread

import httpx
import pytest

from drills.mailbox import server
from drills.receiver import parse

ALERT = {
    "status": "firing",
    "labels": {"alertname": "RedisDown", "severity": "page"},
    "annotations": {"runbook_url": "alerts/runbooks/RedisDown.md"},
}


@pytest.fixture
def port() -> Iterator[int]:
    serving = server("127.0.0.1", 0)
    thread = Thread(target=serving.serve_forever)
    thread.start()
    yield serving.server_port
    serving.shutdown()
    thread.join()
    serving.server_close()


def test_a_notification_is_a_notice_of_each_of_its_alerts(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    body = {"alerts": [ALERT, ALERT | {"status": "resolved"}]}
    assert httpx.post(f"http://127.0.0.1:{port}/page", json=body).status_code == 200
    first, second = parse(capfd.readouterr().out)
    assert (first.route, first.status, first.alert) == ("page", "firing", "RedisDown")
    assert first.annotations == ALERT["annotations"]
    assert second.status == "resolved"


def test_a_connection_on_which_nothing_comes_keeps_no_notification_waiting(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)):
        assert httpx.post(f"http://127.0.0.1:{port}/page", json={"alerts": [ALERT]}, timeout=5).status_code == 200
