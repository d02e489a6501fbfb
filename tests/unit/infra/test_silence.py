"""What the smoke run can cause is silent while it runs, and nothing else, and not for longer."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from alerts import targets
from alerts.alert import Severity
from alerts.rules import alerts
from infra.config import parse
from infra.jobs import silence
from infra.release_gate import seconds_of, silences
from tests.unit.infra.test_config import MINIMAL

BY_NAME = {alert.name: alert for alert in alerts(targets.load())}


class Alertmanager(HTTPServer):
    """Takes silences, or refuses them."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.taken: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Alertmanager

    def do_POST(self) -> None:
        assert self.path == "/api/v2/silences"
        self.server.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b'{"silenceID": "an-id"}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def alertmanager(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Alertmanager]:
    server = Alertmanager(getattr(request, "param", 200))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("ALERTMANAGER_URL", server.url)
    monkeypatch.setenv("STACK", "staging")
    monkeypatch.setenv("RELEASE", "1.0-abc")
    wanted = [{"alerts": ["One", "Two"], "seconds": 60}, {"alerts": ["Three"], "seconds": 600}]
    monkeypatch.setenv("SILENCES", json.dumps(wanted))
    yield server
    server.shutdown()
    server.server_close()


def test_each_is_for_its_alerts_and_its_stack_and_ends_by_itself(alertmanager: Alertmanager) -> None:
    assert silence.main() == 0
    first, second = alertmanager.taken
    assert [matcher["value"] for matcher in first["matchers"]] == ["One|Two", "staging"]
    assert [matcher["isRegex"] for matcher in first["matchers"]] == [True, False]
    assert "1.0-abc" in first["comment"]
    for body, seconds in ((first, 60), (second, 600)):
        begins, ends = (datetime.fromisoformat(body[name]) for name in ("startsAt", "endsAt"))
        assert ends - begins == timedelta(seconds=seconds)
        assert abs(begins - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("alertmanager", [500], indirect=True)
def test_a_refusal_is_told_and_keeps_no_release_back(
    alertmanager: Alertmanager, capsys: pytest.CaptureFixture[str]
) -> None:
    assert silence.main() == 0
    assert capsys.readouterr().out.count("WARNING: nothing is silenced") == 2


def test_nobody_there_is_told_and_keeps_no_release_back(
    alertmanager: Alertmanager, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTMANAGER_URL", "http://127.0.0.1:9")
    assert silence.main() == 0
    assert "WARNING" in capsys.readouterr().out


def test_what_says_that_something_is_down_is_never_silenced() -> None:
    for each in silences(parse(MINIMAL)):
        for name in each["alerts"]:  # type: ignore[attr-defined]
            assert not name.endswith(("Down", "Missing", "Absent", "Critical", "Full"))


def test_pages_come_back_before_tickets_and_soon_after_the_smoke_run() -> None:
    pages, tickets = silences(parse({**MINIMAL, "smokeDuration": "1m"}))
    assert {BY_NAME[name].severity for name in pages["alerts"]} == {Severity.PAGE}  # type: ignore[attr-defined]
    assert {BY_NAME[name].severity for name in tickets["alerts"]} == {Severity.TICKET}  # type: ignore[attr-defined]
    assert isinstance(pages["seconds"], int)
    assert isinstance(tickets["seconds"], int)
    assert 60 < pages["seconds"] <= 120 < tickets["seconds"]


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300)])
def test_durations_are_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds
