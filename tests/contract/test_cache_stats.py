"""The contract of the cache's figures."""

from typing import Any
from uuid import uuid4

import pytest

from service.settings import Settings
from tests.harness import Api, Person, problem, running
from tests.servers import Database, Redis


async def figures(person: Person) -> dict[str, Any]:
    answer = await person.call("GET", "/cache/stats")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-db-queries"] == "0"
    stats: dict[str, Any] = answer.json()
    return stats


async def test_look_ups_are_counted_by_tier_and_kind(api: Api, settings: Settings) -> None:
    auditor = await api.new_person("auditor")
    before = (await figures(auditor))["tiers"]
    for _ in range(3):
        await auditor.call("GET", "/auth/me")
    await api.app.state.cache.get_user_by_id(uuid4())
    stats = await figures(auditor)
    tiers = stats["tiers"]
    assert [tier["tier"] for tier in tiers] == (["memory", "redis"] if settings.redis_url else ["memory"])
    for tier in tiers:
        assert tier.keys() == {"tier", "entries", "memory_bytes", "errors", "kinds"}
        assert tier["kinds"].keys() == {"validation", "session", "user", "permissions"}
    assert _spent(before, tiers, "session") == (3, 0)
    assert _spent(before, tiers, "permissions") == (3, 0)
    assert _spent(before, tiers, "user") == (3, 1)
    assert _spent(before, tiers, "validation") == (1, 0)
    assert 0 < stats["hit_rate_percent"] < 100


async def test_entries_and_memory_are_those_of_the_store(api: Api, settings: Settings) -> None:
    auditor = await api.new_person("auditor")
    *_, before = (await figures(auditor))["tiers"]
    await api.new_person()
    *_, tier = (await figures(auditor))["tiers"]
    # One more validation, session, user (by id and by address) and permissions.
    assert tier["entries"] == before["entries"] + 5
    assert tier["memory_bytes"] > 0
    entries = {kind: figures["entries"] for kind, figures in tier["kinds"].items()}
    if settings.redis_url:
        assert entries == dict.fromkeys(entries)
    else:
        assert entries == {"validation": 2, "session": 2, "user": 4, "permissions": 2}
        assert tier["memory_bytes"] == _bytes(api)
        assert before["memory_bytes"] < tier["memory_bytes"]


async def test_without_look_ups_there_is_no_rate(api: Api) -> None:
    auditor = await api.new_person("auditor")
    *_, tier = (await figures(auditor))["tiers"]
    # The request's own look-up is one of a validation.
    assert tier["kinds"]["validation"]["hit_rate_percent"] == 100
    assert tier["kinds"]["permissions"]["hit_rate_percent"] is None
    stats = (await api.app.state.cache.stats()).model_dump()
    assert stats["hit_rate_percent"] == 100


async def test_the_permission_is_needed(api: Api) -> None:
    member = await api.new_person()
    document = problem(await member.call("GET", "/cache/stats"), 403, "forbidden")
    assert document["permission"] == "metrics:read"
    problem(await api.client.get("/api/v1/cache/stats"), 401, "invalid-token")


@pytest.mark.integration
async def test_a_store_that_does_not_answer_is_no_error(migrated: Database, redis: Redis) -> None:
    async with running(migrated.settings(**redis.settings)) as api:
        auditor = await api.new_person("auditor")
    cut_off = migrated.settings(redis_url="redis://127.0.0.1:1/0", cache_lease_seconds=1)
    async with running(cut_off) as api:
        answer = await Person(api, auditor.user, auditor.session).call("GET", "/cache/stats")
        assert answer.status_code == 200
        stats = answer.json()
    memory, tier = stats["tiers"]
    assert (memory["tier"], memory["errors"]) == ("memory", 1)
    # The one look-up, which the database had to answer.
    assert (stats["hit_rate_percent"], tier["tier"]) == (0, "redis")
    assert (tier["entries"], tier["memory_bytes"], tier["errors"]) == (None, None, 1)
    assert (tier["kinds"]["validation"]["errors"], tier["kinds"]["validation"]["hit_rate_percent"]) == (1, None)


def _spent(before: list[dict[str, Any]], after: list[dict[str, Any]], kind: str) -> tuple[int, int]:
    """Hits in any tier, and misses in the last one."""

    def counts(tiers: list[dict[str, Any]]) -> tuple[int, int]:
        return sum(tier["kinds"][kind]["hits"] for tier in tiers), tiers[-1]["kinds"][kind]["misses"]

    return tuple(new - old for old, new in zip(counts(before), counts(after), strict=True))  # type: ignore[return-value]


def _bytes(api: Api) -> int:
    return sum(len(value) for _, value in api.app.state.cache._tiers.store._entries.values())
