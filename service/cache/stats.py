"""The figures of the cache as `GET /api/v1/cache/stats` answers them."""

import math
from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, Field

from service.cache.entries import KINDS
from service.cache.protocol import Usage
from service.observability.metrics import Metrics


class KindStats(BaseModel):
    """Look-ups of one kind of entry in one tier, since this replica started."""

    hits: int = Field(examples=[970])
    misses: int = Field(examples=[30])
    errors: int = Field(description="Look-ups that the tier could not answer.", examples=[0])
    hit_rate_percent: float | None = Field(description="Null without look-ups.", examples=[97.0])
    entries: int | None = Field(
        description="A user is there twice, by id and by e-mail address. "
        "Null where counting would mean to go through every key, as in Redis.",
        examples=[120],
    )


class TierStats(BaseModel):
    """One tier: what it holds, and how look-ups in it went."""

    tier: str = Field(examples=["redis"])
    entries: int | None = Field(
        description="Every key, loaders' marks and what has expired but was not removed yet included. "
        "Null while the tier does not answer.",
        examples=[480],
    )
    memory_bytes: int | None = Field(
        description="All that Redis uses; of the in-process tier its values. Null while the tier does not answer.",
        examples=[1048576],
    )
    errors: int = Field(description="Look-ups that the tier could not answer, of all kinds.", examples=[0])
    kinds: dict[str, KindStats]


class CacheStats(BaseModel):
    """The cache as the replica that answers sees it."""

    hit_rate_percent: float | None = Field(
        description="Of the last five minutes, in percent; null without look-ups.", examples=[97.0]
    )
    tiers: list[TierStats]


def tier_stats(tier: str, usage: Usage | None, metrics: Metrics) -> TierStats:
    """The figures of a tier; `usage` is None if it did not answer."""
    counts = count_kinds(usage.keys) if usage and usage.keys is not None else None
    kinds = {}
    for kind in KINDS:
        lookups = metrics.lookups(tier, kind.name)
        hits, misses = lookups["hit"], lookups["miss"]
        kinds[kind.name] = KindStats(
            hits=hits,
            misses=misses,
            errors=lookups["error"],
            hit_rate_percent=100 * hits / (hits + misses) if hits + misses else None,
            entries=None if counts is None else counts[kind.name],
        )
    return TierStats(
        tier=tier,
        entries=usage.entries if usage else None,
        memory_bytes=usage.memory_bytes if usage else None,
        errors=sum(kind.errors for kind in kinds.values()),
        kinds=kinds,
    )


def count_kinds(keys: Iterable[str]) -> Counter[str]:
    """How many of the keys are of each kind; marks are of none."""
    return Counter(kind.name for key in keys for kind in KINDS if key.startswith(kind.prefixes))


def percent_or_none(rate: float) -> float | None:
    """A rate as JSON can say it, which knows no NaN."""
    return None if math.isnan(rate) else rate
