"""The load has the proportions of its definition, and goes round the users."""

from collections import Counter
from itertools import islice

from bench.load.requests import LOGIN, VALIDATE
from drills.drill import Load
from drills.load import Mixture


def test_kinds_come_in_the_proportion_of_their_rates() -> None:
    mixture = Mixture(["a@example.com", "b@example.com"], "secret", ["t1", "t2"], Load(logins=1, validations=9))
    kinds = Counter(request.kind for request in islice(mixture, 100))
    assert kinds == {LOGIN: 10, VALIDATE: 90}


def test_no_token_comes_again_before_all_others() -> None:
    tokens = [f"token-{number}" for number in range(5)]
    mixture = Mixture(["a@example.com"], "secret", tokens, Load(logins=0, validations=1))
    sent = [request.data.decode() for request in islice(mixture, 5)]
    assert all(token in data for token, data in zip(tokens, sent, strict=True))
