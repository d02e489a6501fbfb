"""`make restore` ends when no replica can believe copies of what served before."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.operations.jobs import Jobs
from service.settings import Settings


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ([], Settings.model_fields["cache_lease_seconds"].default),
        (["JANUA_CACHE_LEASE_SECONDS=7"], 7),
        (["JANUA_CACHE_LEASE_SECONDS=7", "JANUA_CACHE_MEMORY_LEASE_SECONDS=9.5"], 9.5),
    ],
)
def test_it_waits_for_the_longest_lease_of_the_replicas(
    monkeypatch: pytest.MonkeyPatch, environment: list[str], seconds: float
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("infra.operations.jobs.time.sleep", slept.append)
    replica: Any = SimpleNamespace(attrs={"Config": {"Env": environment}})
    assert list(Jobs("staging", replica, replica, Path("backups"), 1).outlast_copies())
    assert slept == [seconds]
