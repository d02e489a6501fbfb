"""What is done about requests after they were answered, together and at the end."""

import json
import logging
from collections import Counter

import pytest

from service.clock import ManualClock
from service.observability.answered import AnsweredRequests
from service.observability.context import RequestContext
from service.observability.request_log import Answered
from service.observability.tracing.spans import TracedRequest
from service.observability.tracing.tracer import Tracer
from service.settings import Settings
from tests.traces import EVERY, Kept


class Outcomes(Counter[str]):
    def count_traces(self, outcome: str, number: int) -> None:
        self[outcome] += number

    def exemplify(self, traced: TracedRequest) -> None:
        self["exemplified"] += 1


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


def requests(outcomes: Outcomes, per_second: int) -> AnsweredRequests:
    clock = ManualClock()
    settings = Settings().model_copy(update=EVERY | {"traces_per_second": per_second})
    return AnsweredRequests(clock, Tracer(settings, outcomes, clock))


def request(number: int, status: int = 200) -> Answered:
    return RequestContext(f"id-{number}", f"{number:032x}"), "GET", "/livez", status, 1.0


def ids(kept: Kept) -> list[object]:
    return [(span.attributes or {})["janua.request_id"] for span in kept.spans]


async def test_ordinary_ones_in_a_batch_leave_room_for_a_failed_one_behind_them(kept: Kept, outcomes: Outcomes) -> None:
    answered = requests(outcomes, per_second=2)
    for number in range(3):
        answered.add(request(number))
    answered.add(request(3, status=500))
    await answered.close()
    assert ids(kept) == ["id-0", "id-3"]
    assert outcomes == {"too_many": 2, "exported": 2, "exemplified": 2}


async def test_what_ends_before_and_during_the_close_leaves_its_line(
    kept: Kept,
    outcomes: Outcomes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    answered = requests(outcomes, per_second=10)
    assert answered.tracer is not None
    close = answered.tracer.export.close

    async def one_ends_meanwhile() -> None:
        await close()
        answered.add(request(1))

    monkeypatch.setattr(answered.tracer.export, "close", one_ends_meanwhile)
    answered.add(request(0))
    await answered.close()
    lines = [json.loads(line)["request_id"] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["id-0", "id-1"]
    assert ids(kept) == ["id-0"]


async def test_what_nobody_wants_does_not_wait(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    answered = AnsweredRequests(ManualClock())
    answered.add(request(0))
    assert answered._waiting == []
