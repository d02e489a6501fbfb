"""What is sent, and what its answers are worth."""

from collections import Counter
from itertools import islice

import pytest

from bench.load.client import LOST
from bench.load.requests import LOGIN, LOGOUT, REFRESH, SIGNUP, VALIDATE, Logins, Mixed, Request, Validations
from bench.load.samples import Outcome, Samples, judge
from loadtest.population.users import Population
from service.tokens.opaque import is_well_formed

POPULATION = Population("test", 1000)
MINE = Request(VALIDATE, b"", 200, b"my-id")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"user_id": "my-id"}', Outcome.RIGHT),
        (200, b'{"user_id": "another"}', Outcome.WRONG),
        (401, b"", Outcome.WRONG),  # of a token that is valid
        (429, b"", Outcome.FAILED),
        (503, b"", Outcome.FAILED),
        (LOST, b"", Outcome.FAILED),
    ],
)
def test_what_an_answer_is_worth(status: int, body: bytes, expected: Outcome) -> None:
    assert judge(MINE, status, body) is expected


def test_samples_count_by_kind_and_outcome() -> None:
    samples = Samples()
    for latency, status, body in (
        (0.001, 200, b"my-id"),
        (0.002, 401, b""),
        (0.003, 503, b"sorry"),
        (0.004, LOST, b""),
    ):
        samples.add(MINE, 0, latency, status, body)
    samples.add(Request(LOGIN, b"", 200), 0, 1, 200, b"")
    assert (samples.count(), samples.count(VALIDATE), samples.count(SIGNUP)) == (5, 4, 0)
    assert (samples.not_right(), samples.outcomes(Outcome.WRONG), samples.server_errors()) == (3, 1, 2)
    assert samples.error_percent() == 60
    assert samples.latency_ms(50, VALIDATE) == pytest.approx(2)
    assert samples.latency_ms(100) == pytest.approx(1000)
    assert samples.first_not_right == "401 "


def test_a_few_late_requests_are_no_reason_to_distrust_a_round() -> None:
    samples = Samples(late=2)
    for _ in range(100):
        samples.add(MINE, 0, 0.001, 200, b"my-id")
    assert not samples.is_late()
    samples.late = 3
    assert samples.is_late()


def test_a_token_is_validated_for_its_own_user() -> None:
    for request in islice(Validations(POPULATION, 5, 8), 50):
        number = next(n for n in range(5, 8) if POPULATION.token(n).encode() in request.data)
        assert request.contains == str(POPULATION.user_id(number)).encode()


def test_in_turn_nobody_comes_twice_before_everybody_came_once() -> None:
    requests = [request.data for request in islice(Validations(POPULATION, 5, 8, "in turn"), 6)]
    assert len(set(requests[:3])) == 3
    assert requests[:3] == requests[3:]


def test_tokens_are_of_the_services_form_and_of_one_run() -> None:
    tokens = {POPULATION.token(1), POPULATION.token(2), POPULATION.refresh_token(1), Population("other", 1000).token(1)}
    assert len(tokens) == 4
    assert all(is_well_formed(token) for token in tokens)


def test_the_mixture_is_as_the_table_says_and_uses_no_session_up_twice() -> None:
    requests = list(islice(Mixed(POPULATION, 0, 10, spare=500, name="mixed"), 10_000))
    kinds = Counter(request.kind for request in requests)
    assert kinds[VALIDATE] == pytest.approx(9500, abs=100)
    assert kinds[LOGIN] == pytest.approx(400, abs=80)
    others = [request.data for request in requests if request.kind in (SIGNUP, REFRESH, LOGOUT)]
    assert len(set(others)) == len(others) == 10_000 - kinds[VALIDATE] - kinds[LOGIN]
    assert max(kinds[SIGNUP], kinds[REFRESH], kinds[LOGOUT]) - min(kinds[SIGNUP], kinds[REFRESH], kinds[LOGOUT]) <= 1
    refreshed = {n for n in range(1000) for data in others if POPULATION.refresh_token(n).encode() in data}
    ended = {n for n in range(1000) for data in others if POPULATION.token(n).encode() in data}
    assert refreshed
    assert not refreshed & ended
    assert min(refreshed | ended) >= 500


def test_a_login_can_be_a_form() -> None:
    request = next(iter(Logins(POPULATION, 3, 4, path="/x", form=True)))
    head, _, body = request.data.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    assert b"username=user3%40load.example.com&password=" in body
