"""For each alert a case in which it fires and one in which it keeps silent."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerts.metrics import DATABASE_ROLE_RESTRICTED
from alerts.rules import ESSENTIAL_METRICS
from alerts.series import (
    LASTING,
    MINUTE,
    Series,
    always,
    each,
    each_until,
    every,
    falls_to_zero,
    latencies,
    lookups,
    queries,
    requests,
    series,
    undefined,
    vanishes,
)
from alerts.targets import Targets

LOGIN = "/api/v1/auth/login"
VALIDATE = "/api/v1/auth/validate"
# Samples after which something breaks, for a test that looks after five minutes.
EARLY = 2 * MINUTE
JUST_NOW = 5 * MINUTE - 2


@dataclass(frozen=True)
class Firing:
    """What a firing alert is expected to show: the rendered figure and the labels of its series."""

    figure: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """An alert, the series that make it fire at `at` and show `firing`, and those that leave it silent.

    `silent_on` gives each of the latter by its reason.
    """

    alert: str
    at: str
    fires_on: Series
    firing: tuple[Firing, ...]
    silent_on: Mapping[str, Series]


def cases(targets: Targets) -> list[Case]:
    """Return one case per alert."""
    return [*_latency(targets), *_ratios(targets), *_dependencies(), *_presence()]


def _latency(targets: Targets) -> list[Case]:
    return [
        _slow("AuthLatencyHigh", LOGIN, targets.auth_latency_p95_ms),
        _slow("ValidationLatencyHigh", VALIDATE, targets.validation_latency_p95_ms),
    ]


def _slow(alert: str, path: str, target_ms: float) -> Case:
    # The 95th percentile of what is spread from 1 to 21 times the target is 20 times the target.
    slow, fast = (target_ms, 21 * target_ms), (target_ms / 2, target_ms)
    return Case(
        alert=alert,
        at="7m",
        fires_on=latencies(path, slow, each(10)),
        firing=(Firing(f"{20 * target_ms:.1f} ms"),),
        silent_on={
            "fast": latencies(path, fast, each(10)),
            "four slow requests in five minutes": latencies(path, slow, every(15)),
            "slow until two minutes ago": {
                **latencies(path, slow, each_until(5 * MINUTE, 10), "before:8000"),
                **latencies(path, fast, f"_x{5 * MINUTE} {each(1)}", "now:8000"),
            },
            "a few slow after many fast": {
                **latencies(path, fast, each_until(5 * MINUTE, 100), "before:8000"),
                **latencies(path, slow, f"_x{5 * MINUTE} {each(1)}", "now:8000"),
            },
        },
    )


def _ratios(targets: Targets) -> list[Case]:
    limit = targets.queries_per_auth_request_max
    return [
        Case(
            alert="ErrorRateHigh",
            at="7m",
            fires_on={requests(LOGIN, 200): each(19), requests(LOGIN, 503): each(1)},
            firing=(Firing("5.0 %"),),
            silent_on={
                "mistakes of clients": {requests(LOGIN, 200): each(10), requests(LOGIN, 422): each(10)},
                "four requests in five minutes": {requests(LOGIN, 503): every(15)},
                "failing until two minutes ago": {
                    requests(LOGIN, 200): each(19),
                    requests(LOGIN, 503): each_until(5 * MINUTE, 1),
                },
                "one failure just now": {
                    requests(LOGIN, 200): each(1),
                    requests(LOGIN, 503): f"0x{6 * MINUTE} 0.5x{LASTING}",
                },
            },
        ),
        Case(
            alert="CacheHitRateLow",
            at="16m",
            fires_on=lookups(memory_hits=10, redis_hits=10, misses=15, errors=5),
            firing=(Firing("50.0 %"),),
            silent_on={
                "Redis answers what memory misses": lookups(memory_hits=10, redis_hits=26, misses=4),
                "memory answers while Redis does not": lookups(memory_hits=36, redis_hits=0, misses=0, errors=4),
                "hardly a look-up": lookups(memory_hits=0, redis_hits=0, misses=0.5),
            },
        ),
        Case(
            alert="QueriesPerRequestHigh",
            at="16m",
            fires_on={requests(LOGIN, 200): each(10), queries(LOGIN): each(10 * limit + 5)},
            firing=(Firing(f"{limit + 0.5:.1f}"),),
            silent_on={
                "within the target": {requests(LOGIN, 200): each(10), queries(LOGIN): each(10 * limit - 5)},
                "hardly a request": {requests(LOGIN, 200): every(15), queries(LOGIN): each(10)},
            },
        ),
    ]


def _dependencies() -> list[Case]:
    postgres = {"job": "postgres", "instance": "postgres-exporter:9187"}
    redis = {"job": "redis", "instance": "redis-exporter:9121"}
    replica = {"job": "service", "instance": "10.0.0.1:8000"}
    restricted = series(DATABASE_ROLE_RESTRICTED, replica)
    redis_views = (series("redis_up", redis), series("janua_redis_up", replica))
    return [
        Case(
            alert="PostgresDown",
            at="5m",
            fires_on={series("pg_up", postgres): falls_to_zero(EARLY)},
            firing=(Firing(labels=postgres),),
            silent_on={
                "up": {series("pg_up", postgres): always(1)},
                "down for a moment": {series("pg_up", postgres): falls_to_zero(JUST_NOW)},
            },
        ),
        Case(
            alert="RedisDown",
            at="5m",
            fires_on=dict.fromkeys(redis_views, falls_to_zero(EARLY)),
            firing=(Firing(labels=redis), Firing(labels=replica)),
            silent_on={
                "up": dict.fromkeys(redis_views, always(1)),
                "down for a moment": dict.fromkeys(redis_views, falls_to_zero(JUST_NOW)),
            },
        ),
        Case(
            alert="DatabaseRoleUnrestricted",
            at="5m",
            fires_on={restricted: always(0)},
            firing=(Firing(labels=replica),),
            silent_on={
                "bound": {restricted: always(1)},
                "not known, or no such database": {restricted: undefined()},
                "just started": {restricted: f"_x{JUST_NOW} {always(0)}"},
            },
        ),
    ]


def _presence() -> list[Case]:
    first, second, third = (series("up", {"job": "service", "instance": f"10.0.0.{n}:8000"}) for n in (1, 2, 3))
    edge = {"job": "edge", "instance": "edge:8404"}
    served = series("haproxy_backend_active_servers", edge | {"proxy": "replicas"})
    prometheus = series("up", {"job": "prometheus", "instance": "prometheus:9090"})
    essential = {job: series(metric, {"job": job}) for job, metric in ESSENTIAL_METRICS.items()}
    all_there = dict.fromkeys(essential.values(), always(1))
    return [
        Case(
            alert="ReplicaMissing",
            at="5m",
            fires_on={first: always(1), second: vanishes(minutes=2), served: always(0)},
            firing=(
                Firing("1", {"job": "service", "seen_by": "prometheus"}),
                Firing("2", {"job": "service", "seen_by": "edge"}),
            ),
            silent_on={
                "replaced by the next release": {
                    first: always(1),
                    second: vanishes(minutes=3),
                    third: f"_x{2 * MINUTE} {always(1)}",
                    served: always(2),
                },
                "down for a moment": {first: always(1), second: falls_to_zero(JUST_NOW)},
            },
        ),
        Case(
            alert="TargetDown",
            at="5m",
            fires_on={series("up", edge): falls_to_zero(EARLY)},
            firing=(Firing(labels=edge),),
            silent_on={
                "up": {series("up", edge): always(1)},
                "down for a moment": {series("up", edge): falls_to_zero(JUST_NOW)},
            },
        ),
        Case(
            alert="MetricsAbsent",
            at="5m",
            fires_on={**all_there, essential["redis"]: vanishes(minutes=2)},
            firing=(Firing(labels={"job": "redis", "metric": ESSENTIAL_METRICS["redis"]}),),
            silent_on={"everything there": all_there},
        ),
        Case(
            alert="Watchdog",
            at="5m",
            fires_on={prometheus: always(1)},
            firing=(Firing("0 s"),),
            silent_on={"nothing stored for two minutes": {prometheus: f"1x{3 * MINUTE} _x{5 * MINUTE}"}},
        ),
    ]
