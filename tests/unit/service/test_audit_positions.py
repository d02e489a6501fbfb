"""Times and cursors of the audit trail, over whatever hypothesis thinks of."""

from datetime import UTC, datetime, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service.audit.models import Instant, in_utc
from service.audit.queries import CURSOR_DIGITS, Position

instants = TypeAdapter(Instant)
offsets = st.timedeltas().filter(lambda offset: abs(offset.total_seconds()) < 86_400).map(timezone)
moments = st.datetimes(timezones=offsets)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(4253, 1, 1), timezones=st.just(UTC)), st.uuids())
def test_a_cursor_leads_back_to_where_it_was_made(moment: datetime, event_id: UUID) -> None:
    position = Position(moment, event_id)
    assert len(position.cursor) == CURSOR_DIGITS
    assert Position.of_cursor(position.cursor) == position


@given(st.from_regex(f"[0-9a-f]{{{CURSOR_DIGITS}}}", fullmatch=True))
def test_whatever_looks_like_a_cursor_is_a_place(cursor: str) -> None:
    assert Position.of_cursor(cursor).cursor == cursor


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
