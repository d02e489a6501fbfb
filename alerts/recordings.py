"""Recording rules: each figure that has a target, computed once for alerts and dashboards alike.

A name is `janua:<what>:<window>`; where the figure has a unit, <what> ends with it. A window is a length, or one of
alerts/burn.py, whose length follows from the interval between scrapes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerts import burn, promql
from alerts.metrics import (
    API_ROUTES,
    AUTH_ROUTES,
    CACHE_HITS,
    CACHE_MISSES,
    EDGE_ACTIVE_SERVERS,
    EDGE_SERVER_STATUS,
    EDGE_STARTED,
    PROMETHEUS_JOB,
    REQUEST_LATENCY,
    SERVICE_JOB,
    VALIDATE_ROUTE,
)
from alerts.targets import Targets

# What dashboards show of the present.
LONG = "5m"
# Ratios that a cold cache or a quiet minute would distort are taken over a longer window.
RATIO = "10m"
_RATIO_SECONDS = 600

# How many there were is asked of the long windows only: a short one says that it goes on.
LONG_WINDOWS = (burn.PAGE_LONG, burn.TICKET_LONG)

REPLICAS_UP = "janua:replicas:up"
REPLICAS_EXPECTED = "janua:replicas:expected"
COMPLETE = "janua:stack:complete"
# What the first deployment may take from Prometheus's start to the edge's: nothing is missing before it was there.
DEPLOYING_SECONDS = 300


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


def auth_slow_percent(window: str) -> str:
    """Return the name of the share of auth requests that took longer than their target, in percent."""
    return f"janua:auth_slow_percent:{window}"


def validation_slow_percent(window: str) -> str:
    """Return the name of the share of token validations that took longer than their target, in percent."""
    return f"janua:validation_slow_percent:{window}"


def auth_requests(window: str) -> str:
    """Return the name of the number of auth requests within the window."""
    return f"janua:auth_requests:{window}"


def validations(window: str) -> str:
    """Return the name of the number of token validations within the window."""
    return f"janua:validations:{window}"


def error_percent(window: str) -> str:
    """Return the name of the share of API requests answered with a 5xx, in percent."""
    return f"janua:error_rate_percent:{window}"


def api_requests(window: str) -> str:
    """Return the name of the number of API requests within the window."""
    return f"janua:api_requests:{window}"


def hit_rate_percent(window: str) -> str:
    """Return the name of the share of cache look-ups answered by the cache, in percent."""
    return f"janua:cache_hit_rate_percent:{window}"


def cache_lookups(window: str) -> str:
    """Return the name of the number of cache look-ups within the window."""
    return f"janua:cache_lookups:{window}"


def queries_per_request(window: str) -> str:
    """Return the name of the number of database queries per auth request."""
    return f"janua:queries_per_auth_request:{window}"


def recordings(targets: Targets, replicas: int, scrape_interval: int) -> list[Recording]:
    """Return every recording rule of a stack: `replicas` are meant to run, `scrape_interval` is in seconds."""
    windows = burn.seconds(scrape_interval)
    return [
        Recording(auth_p95(LONG), promql.quantile(0.95, REQUEST_LATENCY, AUTH_ROUTES, LONG)),
        Recording(validation_p95(LONG), promql.quantile(0.95, REQUEST_LATENCY, VALIDATE_ROUTE, LONG)),
        Recording(error_percent(LONG), f"100 * {promql.error_ratio(API_ROUTES, LONG)}"),
        *(rule for name, seconds in windows.items() for rule in _budgets(targets, name, seconds)),
        *_cache(burn.PAGE_LONG, windows[burn.PAGE_LONG]),
        _hit_rate(burn.PAGE_SHORT, windows[burn.PAGE_SHORT]),
        *_cache(RATIO, _RATIO_SECONDS),
        Recording(auth_requests(RATIO), _total(promql.requests(AUTH_ROUTES, RATIO), _RATIO_SECONDS)),
        Recording(queries_per_request(RATIO), promql.queries_per_request(RATIO)),
        # Two witnesses: a replica of a release that was never let through is up as well, but does not serve.
        Recording(REPLICAS_UP, f'sum(up{{job="{SERVICE_JOB}"}}) or vector(0)', {"seen_by": "prometheus"}),
        Recording(REPLICAS_UP, f"sum({EDGE_ACTIVE_SERVERS})", {"seen_by": "edge"}),
        # As many as were promoted; a release with more of them is on its way for minutes before it serves.
        Recording(REPLICAS_EXPECTED, f"count({EDGE_SERVER_STATUS}) or vector({replicas})"),
        # The edge is deployed last.
        Recording(
            COMPLETE,
            f"max(max_over_time({EDGE_STARTED}[{RATIO}])) > bool 0"
            f' or time() - max(process_start_time_seconds{{job="{PROMETHEUS_JOB}"}}) > bool {DEPLOYING_SECONDS}',
        ),
    ]


def _budgets(targets: Targets, name: str, seconds: int) -> list[Recording]:
    """Return what went wrong within a window in percent, and of a long one of how many."""
    window = f"{seconds}s"
    auth = promql.slow_ratio(AUTH_ROUTES, targets.auth_latency_p95_ms, window)
    validation = promql.slow_ratio(VALIDATE_ROUTE, targets.validation_latency_p95_ms, window)
    counts = [
        Recording(auth_requests(name), _total(promql.requests(AUTH_ROUTES, window), seconds)),
        Recording(validations(name), _total(promql.requests(VALIDATE_ROUTE, window), seconds)),
        Recording(api_requests(name), _total(promql.requests(API_ROUTES, window), seconds)),
    ]
    return [
        Recording(auth_slow_percent(name), f"100 * ({auth})"),
        Recording(validation_slow_percent(name), f"100 * ({validation})"),
        Recording(error_percent(name), f"100 * {promql.error_ratio(API_ROUTES, window)}"),
        *(counts if name in LONG_WINDOWS else []),
    ]


def _cache(name: str, seconds: int) -> list[Recording]:
    window = f"{seconds}s"
    lookups = f"({promql.cache_lookups(CACHE_HITS, window)} + {promql.cache_lookups(CACHE_MISSES, window)})"
    return [_hit_rate(name, seconds), Recording(cache_lookups(name), _total(lookups, seconds))]


def _hit_rate(name: str, seconds: int) -> Recording:
    return Recording(hit_rate_percent(name), f"100 * {promql.cache_hit_ratio(f'{seconds}s')}")


def _total(per_second: str, seconds: int) -> str:
    """Turn a rate averaged over so many seconds into how many there were."""
    return f"{per_second} * {seconds}"
