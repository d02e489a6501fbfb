"""A healthy load that was not sent, or not answered, passes no drill."""

from bench.load.requests import validation
from bench.load.samples import Samples
from drills.__main__ import not_sent_or_answered


def samples(*statuses: int) -> Samples:
    found = Samples()
    for status in statuses:
        found.add(validation("token", None), 0, 0.001, status, b"")
    return found


def test_one_that_was_answered_says_something() -> None:
    assert not_sent_or_answered(samples(*[200] * 1000, 503), 1001) == []


def test_one_that_ended_early_does_not() -> None:
    assert not_sent_or_answered(samples(*[200] * 99), 100) == ["99 of 100 requests were sent"]


def test_one_whose_answers_are_wrong_does_not() -> None:
    (line,) = not_sent_or_answered(samples(*[200] * 98, 401, 429), 100)
    assert line.startswith("2 answers were not right")


def test_one_that_was_never_sent_does_not() -> None:
    assert len(not_sent_or_answered(samples(), 100)) == 2
