"""The general rules, over whatever hypothesis thinks of."""

import json
import math
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service import __version__
from service.auth.common_passwords import COMMON_PASSWORDS
from service.auth.models import NewPassword
from service.auth.passwords import MAX_LENGTH, MIN_LENGTH
from service.clock import ManualClock
from service.ids import new_id
from service.observability.hit_rate import WINDOW_SECONDS, HitRateWindow
from service.observability.metrics import LATENCY_BUCKETS
from service.tokens.opaque import fingerprint, is_well_formed, new_token
from service.users.models import EMAIL_MAX_LENGTH, EMAIL_PATTERN, EmailAddress
from tests.servers import ROOT

emails = TypeAdapter(EmailAddress)
passwords = TypeAdapter(NewPassword)


@given(st.from_regex(re.compile(EMAIL_PATTERN), fullmatch=True))
def test_an_address_keeps_its_form_and_loses_its_case(text: str) -> None:
    text = text.rstrip("\n")
    if len(text) > EMAIL_MAX_LENGTH:
        return
    once = emails.validate_python(text)
    assert once == emails.validate_python(once) == emails.validate_python(text.upper())
    assert once.count("@") == 1
    assert once == once.lower()


@given(st.emails())
def test_what_is_taken_for_an_address_is_stored_and_compared_in_one_form(text: str) -> None:
    try:
        assert emails.validate_python(text) == text.lower()
    except ValidationError:
        # Refused are those that only RFC 5321's more exotic forms allow.
        assert re.search(r"[^A-Za-z0-9_%+'.@-]|-\.|\.-|\.[^.A-Za-z]|@-|xn--|\.[A-Za-z]*[0-9-]", text, re.ASCII), text


@given(st.text(max_size=300))
def test_a_password_is_judged_by_its_length_alone(text: str) -> None:
    try:
        assert passwords.validate_python(text) == text
        accepted = True
    except ValidationError:
        accepted = False
    assert accepted is (MIN_LENGTH <= len(text) <= MAX_LENGTH and text not in COMMON_PASSWORDS)


def test_common_passwords_are_refused_in_any_case() -> None:
    with pytest.raises(ValidationError, match="most common"):
        passwords.validate_python("PassWord1")


def test_tokens_are_long_random_and_recognised() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(is_well_formed(token) for token in tokens)
    assert {len(fingerprint(token)) for token in tokens} == {64}


@given(st.text())
def test_only_what_could_be_a_token_is_looked_up(text: str) -> None:
    assert is_well_formed(text) is bool(re.match(r"[A-Za-z0-9_-]{43}\Z", text))


def test_ids_are_ordered_by_time() -> None:
    ids = [new_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert {(uuid.version, uuid.variant) for uuid in ids} == {(7, "specified in RFC 4122")}
    milliseconds = [uuid.int >> 80 for uuid in ids]
    assert milliseconds == sorted(milliseconds)


steps = st.tuples(st.floats(min_value=0, max_value=400), st.booleans())


@given(st.lists(steps, max_size=60))
def test_the_hit_rate_is_that_of_the_window(lookups: Sequence[tuple[float, bool]]) -> None:
    clock = ManualClock()
    window = HitRateWindow(clock)
    seen: list[tuple[float, bool]] = []
    for pause, hit in lookups:
        clock.advance(pause)
        window.record(hit=hit)
        seen.append((clock.monotonic(), hit))
    # Slices of five seconds: whatever is younger than the window less one slice counts, what is older does not.
    certain = [hit for at, hit in seen if at > clock.monotonic() - WINDOW_SECONDS + 5]
    possible = [hit for at, hit in seen if at > clock.monotonic() - WINDOW_SECONDS]
    rate = window.percent()
    assert math.isnan(rate) if not seen else 0 <= rate <= 100
    allowed = {_rate(certain), _rate(possible)} | {_rate(possible[n:]) for n in range(len(possible))}
    assert any(math.isclose(rate, value) for value in allowed) or (math.isnan(rate) and not certain)


def test_the_hit_rate_forgets() -> None:
    clock = ManualClock()
    window = HitRateWindow(clock)
    assert math.isnan(window.percent())
    window.record(hit=True)
    clock.advance(WINDOW_SECONDS / 2)
    window.record(hit=False)
    assert window.percent() == 50
    clock.advance(WINDOW_SECONDS / 2)
    assert window.percent() == 0
    clock.advance(WINDOW_SECONDS)
    assert math.isnan(window.percent())


def test_every_latency_target_is_a_boundary_of_the_histograms() -> None:
    targets = json.loads((ROOT / "alerts/targets.json").read_text())
    milliseconds = {name: value for name, value in _flat(targets).items() if name.endswith("_ms")}
    assert len(milliseconds) >= 8
    assert set(milliseconds.values()) <= set(LATENCY_BUCKETS)
    assert {1, 2, 5, 10, 50, 100, 10_000} <= set(LATENCY_BUCKETS)
    assert list(LATENCY_BUCKETS) == sorted(LATENCY_BUCKETS)


def test_the_version_is_the_project_s() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()


def _rate(hits: list[bool]) -> float:
    return 100 * sum(hits) / len(hits) if hits else math.nan


def _flat(tree: dict[str, object]) -> dict[str, object]:
    leaves: dict[str, object] = {}
    for name, value in tree.items():
        leaves |= _flat(value) if isinstance(value, dict) else {name: value}
    return leaves
