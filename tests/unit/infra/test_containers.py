"""How containers are described to the engine."""

import pytest

from infra.containers import duration


@pytest.mark.parametrize(("seconds", "text"), [(3, "3s"), (45, "45s"), (60, "1m0s"), (120, "2m0s"), (135, "2m15s")])
def test_durations_are_written_as_the_engine_reads_them_back(seconds: int, text: str) -> None:
    assert duration(seconds) == text
