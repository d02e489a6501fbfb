"""Series for promtool's tests, in its notation: `0+10x60` is a counter that grows by 10 with each of 60 samples.

There is a sample every `INTERVAL`; `LASTING` of them are more than any test looks at.
"""

from collections.abc import Mapping

from alerts.metrics import CACHE_REQUESTS, DB_QUERIES, REQUEST_LATENCY, SERVICE_JOB

INTERVAL = "5s"
MINUTE = 12
LASTING = 20 * MINUTE

Series = Mapping[str, str]


def series(metric: str, labels: Mapping[str, str]) -> str:
    """Return the name of a series with these labels."""
    return metric + "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


def always(value: int) -> str:
    """Keep the value."""
    return f"{value}x{LASTING}"


def undefined() -> str:
    """Be NaN for as long as a test looks; promtool knows no shorter way to say so."""
    return " ".join(["NaN"] * 6 * MINUTE)


def falls_to_zero(after: int) -> str:
    """Change from 1 to 0 after so many samples."""
    return f"1x{after} 0x{LASTING}"


def vanishes(minutes: int) -> str:
    """Be 1, and be gone after so many minutes."""
    return f"1x{minutes * MINUTE} stale"


def each(growth: float) -> str:
    """Grow by so much with each sample."""
    return f"0+{growth:g}x{LASTING}"


def each_until(samples: int, growth: float) -> str:
    """Grow by so much with each of so many samples, and no more."""
    return f"0+{growth:g}x{samples} {samples * growth:g}x{LASTING}"


def every(samples: int) -> str:
    """Grow by one with each `samples`-th sample only."""
    return " ".join(f"{step}x{samples - 1}" for step in range(LASTING // samples))


def latencies(path: str, between: tuple[float, float], growth: str, instance: str = "a:8000") -> Series:
    """Return a replica's histogram of requests that all took between two boundaries, in milliseconds."""
    labels = {"job": SERVICE_JOB, "instance": instance, "path": path, "status": "200"}
    return histogram(REQUEST_LATENCY, labels, between, growth)


def histogram(metric: str, labels: Mapping[str, str], between: tuple[float, float], growth: str) -> Series:
    """Return a histogram whose observations all lie between two boundaries."""
    low, high = between
    boundaries = {str(float(low)): always(0), str(float(high)): growth, "+Inf": growth}
    buckets = {
        series(f"{metric}_bucket", {**labels, "le": boundary}): values for boundary, values in boundaries.items()
    }
    return buckets | {series(f"{metric}_count", labels): growth}


def requests(path: str, status: int) -> str:
    """Return the name of the count of requests on a route that were answered with a status."""
    return series(f"{REQUEST_LATENCY}_count", {"path": path, "status": str(status)})


def queries(path: str) -> str:
    """Return the name of the count of a route's database queries."""
    return series(DB_QUERIES, {"path": path})


def lookups(memory_hits: float, redis_hits: float, misses: float, errors: float = 0) -> Series:
    """Return cache look-ups per sample; what the tier in memory misses goes on to Redis, which may not answer."""
    outcomes = {
        ("memory", "hit"): memory_hits,
        ("memory", "miss"): redis_hits + misses + errors,
        ("redis", "hit"): redis_hits,
        ("redis", "miss"): misses,
        ("redis", "error"): errors,
    }
    return {
        series(CACHE_REQUESTS, {"tier": tier, "kind": "user", "result": result}): each(count)
        for (tier, result), count in outcomes.items()
    }
