"""Times and cursors of the audit trail, over whatever hypothesis thinks of."""

import base64
from datetime import UTC, datetime, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service.audit.models import Instant, in_utc
from service.audit.queries import Position
from service.pagination import encode_cursor
from service.problems import ProblemError

instants = TypeAdapter(Instant)
offsets = st.timedeltas().filter(lambda offset: abs(offset.total_seconds()) < 86_400).map(timezone)
moments = st.datetimes(timezones=offsets)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_leads_back_to_where_it_was_made(moment: datetime, event_id: UUID) -> None:
    position = Position(moment, event_id)
    cursor = encode_cursor(position.key)
    assert len(cursor) <= 200
    assert Position.of_cursor(cursor) == position


@given(st.one_of(st.text(), st.binary(), moments.map(lambda moment: f"{moment} 0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012")))
def test_whatever_a_cursor_says_it_is_a_place_or_a_problem(said: str | bytes) -> None:
    content = said if isinstance(said, bytes) else said.encode(errors="replace")
    try:
        position = Position.of_cursor(base64.urlsafe_b64encode(content).rstrip(b"=").decode())
    except ProblemError:
        return
    assert position.created_at.tzinfo is UTC


@given(moments)
def test_every_instant_has_a_form_in_utc(moment: datetime) -> None:
    same = in_utc(moment)
    assert same.tzinfo is UTC
    assert same == moment or same.replace(tzinfo=None) in {datetime.min, datetime.max}


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_read_as_they_are_written(moment: datetime) -> None:
    assert instants.validate_python(moment.isoformat()) == moment
    with pytest.raises(ValidationError, match="RFC 3339"):
        instants.validate_python(moment.replace(tzinfo=None).isoformat())


@given(st.integers().map(str) | st.floats().map(str) | st.dates().map(str) | st.times().map(str))
def test_what_is_no_time_with_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        instants.validate_python(text)
