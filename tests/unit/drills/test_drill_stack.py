"""Which containers a name means."""

import pytest

from drills.stack import belongs


@pytest.mark.parametrize(
    ("part", "name", "meant"),
    [
        ("redis", "redis", True),
        ("redis-exporter", "redis", False),
        ("postgres-exporter", "postgres", False),
        ("service-2", "service-", True),
    ],
)
def test_a_part_is_not_its_exporter_and_replicas_are_all_of_them(part: str, name: str, meant: bool) -> None:
    assert belongs(part, name) is meant
