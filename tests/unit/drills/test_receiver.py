"""The mailbox takes what Alertmanager sends, and what it prints is read back."""

from http.server import HTTPServer
from threading import Thread

import httpx
import pytest

from drills.mailbox import Handler
from drills.receiver import parse

ALERT = {
    "status": "firing",
    "labels": {"alertname": "RedisDown", "severity": "page"},
    "annotations": {"runbook_url": "alerts/runbooks/RedisDown.md"},
}


def test_a_notification_is_a_notice_of_each_of_its_alerts(capfd: pytest.CaptureFixture[str]) -> None:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.handle_request, daemon=True).start()
    body = {"alerts": [ALERT, ALERT | {"status": "resolved"}]}
    assert httpx.post(f"http://127.0.0.1:{server.server_port}/page", json=body).status_code == 200
    server.server_close()
    first, second = parse(capfd.readouterr().out)
    assert (first.route, first.status, first.alert) == ("page", "firing", "RedisDown")
    assert first.annotations == ALERT["annotations"]
    assert second.status == "resolved"
