"""A healthy load that was not answered passes no drill."""

from bench.load.client import LOST
from bench.load.requests import validation
from bench.load.samples import Samples
from drills.__main__ import not_answered


def samples(*statuses: int) -> Samples:
    found = Samples()
    for status in statuses:
        found.add(validation("token", None), 0, 0.001, status, b"")
    return found


def test_one_that_was_answered_says_something() -> None:
    assert not_answered(samples(*[200] * 1000, 503)) == []


def test_one_whose_answers_are_wrong_or_did_not_come_does_not() -> None:
    (line,) = not_answered(samples(*[200] * 98, 401, LOST))
    assert line.startswith("2 answers were not right")


def test_one_that_was_never_sent_does_not() -> None:
    assert len(not_answered(samples())) == 1
