"""Recording rules: each figure that has a target, computed once for alerts and dashboards alike.

A name is `janua:<what>:<window>`; where the figure has a unit, <what> ends with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerts import promql
from alerts.metrics import (
    API_ROUTES,
    AUTH_ROUTES,
    CACHE_HITS,
    CACHE_MISSES,
    EDGE_ACTIVE_SERVERS,
    REQUEST_LATENCY,
    SERVICE_JOB,
    VALIDATE_ROUTE,
)

# A page needs both: the long window says that it matters, the short one that it is still going on.
LONG = "5m"
SHORT = "1m"
# Ratios that a cold cache or a quiet minute would distort are taken over a longer one.
RATIO = "10m"

REPLICAS_UP = "janua:replicas:up"
REPLICAS_EXPECTED = "janua:replicas:expected"


@dataclass(frozen=True)
class Recording:
    """A series that Prometheus computes at every evaluation: its name, its PromQL and labels to add."""

    name: str
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict)


def auth_p95(window: str) -> str:
    """Return the name of the p95 latency of auth requests, in milliseconds."""
    return f"janua:auth_latency_p95_milliseconds:{window}"


def validation_p95(window: str) -> str:
    """Return the name of the p95 latency of token validations, in milliseconds."""
    return f"janua:validation_latency_p95_milliseconds:{window}"


def auth_requests(window: str) -> str:
    """Return the name of the number of auth requests within the window."""
    return f"janua:auth_requests:{window}"


def error_percent(window: str) -> str:
    """Return the name of the share of API requests answered with a 5xx, in percent."""
    return f"janua:error_rate_percent:{window}"


def hit_rate_percent(window: str) -> str:
    """Return the name of the share of cache look-ups answered by the cache, in percent."""
    return f"janua:cache_hit_rate_percent:{window}"


def cache_lookups(window: str) -> str:
    """Return the name of the number of cache look-ups within the window."""
    return f"janua:cache_lookups:{window}"


def queries_per_request(window: str) -> str:
    """Return the name of the number of database queries per auth request."""
    return f"janua:queries_per_auth_request:{window}"


def recordings(replicas: int) -> list[Recording]:
    """Return every recording rule of a stack that is meant to have `replicas` replicas."""
    return [
        *(recording for window in (SHORT, LONG) for recording in _latency_and_errors(window)),
        Recording(auth_requests(LONG), _total(promql.requests(AUTH_ROUTES, LONG), LONG)),
        Recording(auth_requests(RATIO), _total(promql.requests(AUTH_ROUTES, RATIO), RATIO)),
        Recording(hit_rate_percent(RATIO), f"100 * {promql.cache_hit_ratio(RATIO)}"),
        Recording(cache_lookups(RATIO), _total(_all_lookups(RATIO), RATIO)),
        Recording(queries_per_request(RATIO), promql.queries_per_request(RATIO)),
        # Two witnesses: a replica of a release that was never let through is up as well, but does not serve.
        Recording(REPLICAS_UP, f'sum(up{{job="{SERVICE_JOB}"}}) or vector(0)', {"seen_by": "prometheus"}),
        Recording(REPLICAS_UP, f"sum({EDGE_ACTIVE_SERVERS})", {"seen_by": "edge"}),
        Recording(REPLICAS_EXPECTED, f"vector({replicas})"),
    ]


def _latency_and_errors(window: str) -> list[Recording]:
    return [
        Recording(auth_p95(window), promql.quantile(0.95, REQUEST_LATENCY, AUTH_ROUTES, window)),
        Recording(validation_p95(window), promql.quantile(0.95, REQUEST_LATENCY, VALIDATE_ROUTE, window)),
        Recording(error_percent(window), f"100 * {promql.error_ratio(API_ROUTES, window)}"),
    ]


def _all_lookups(window: str) -> str:
    hits = promql.cache_lookups(CACHE_HITS, window)
    return f"({hits} + {promql.cache_lookups(CACHE_MISSES, window)})"


def _total(per_second: str, window: str) -> str:
    """Turn a rate averaged over `window` (in minutes) into how many there were."""
    return f"{per_second} * {60 * int(window.removesuffix('m'))}"
