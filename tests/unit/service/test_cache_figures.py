"""What the cache says of itself."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from service.cache import entries
from service.cache.memory import MemoryBackend
from service.cache.protocol import Entry
from service.cache.stats import count_kinds, percent_or_none, tier_stats
from service.clock import ManualClock
from service.observability.metrics import Metrics
from service.sessions.repository import Identity
from service.settings import Settings
from service.users.models import Grants, User


def test_every_key_is_counted_for_its_kind_and_marks_for_none() -> None:
    now = datetime.now(UTC)
    user = User(id=uuid4(), email="ada@example.com", name=None, tenant="acme", created_at=now)
    identity = Identity(uuid4(), uuid4(), now + timedelta(hours=1), 0, user, Grants(roles=[], permissions=[]))
    keys = [*entries.identity_values("hash", identity, Settings())]
    assert count_kinds(keys) == {"validation": 1, "session": 1, "user": 2, "permissions": 1}
    assert count_kinds([entries.load_mark("hash"), entries.user_mark(user.id), entries.fence(user.id, 1).key]) == {}


async def test_the_in_process_tier_counts_its_values() -> None:
    clock = ManualClock()
    backend = MemoryBackend(clock)
    metrics = Metrics(release="test", clock=clock)
    await backend.put(
        {"permissions:1": Entry(b"abc", 10), "user:id:1": Entry(b"de", 10), "token:loading:1": Entry(b"f", 1)}
    )
    stats = tier_stats("memory", await backend.usage(), metrics)
    assert (stats.entries, stats.memory_bytes) == (3, 6)
    assert {name: kind.entries for name, kind in stats.kinds.items()} == {
        "validation": 0,
        "session": 0,
        "user": 1,
        "permissions": 1,
    }


def test_rates_and_errors_are_those_of_the_tier() -> None:
    metrics = Metrics(release="test", clock=ManualClock())
    for kind, result, number in (
        ("user", "hit", 3),
        ("user", "miss", 1),
        ("session", "error", 2),
        ("user", "error", 1),
    ):
        for _ in range(number):
            metrics.count_lookup("redis", kind, result)
    metrics.count_lookup("memory", "user", "miss")
    stats = tier_stats("redis", None, metrics)
    assert (stats.entries, stats.memory_bytes, stats.errors) == (None, None, 3)
    users, sessions = stats.kinds["user"], stats.kinds["session"]
    assert (users.hits, users.misses, users.errors, users.hit_rate_percent, users.entries) == (3, 1, 1, 75, None)
    assert (sessions.errors, sessions.hit_rate_percent) == (2, None)


def test_a_rate_without_look_ups_is_null() -> None:
    metrics = Metrics(release="test", clock=ManualClock())
    assert percent_or_none(metrics.hit_rate.percent()) is None
    metrics.record_lookup(hit=True)
    assert percent_or_none(metrics.hit_rate.percent()) == 100
