"""Cases of what is down, missing or not watched."""

from alerts.cases.case import Case, Firing
from alerts.dependencies import ESSENTIAL_METRICS
from alerts.metrics import DATABASE_ROLE_RESTRICTED
from alerts.recordings import DEPLOYING_SECONDS
from alerts.series import (
    MINUTE,
    always,
    each,
    each_until,
    falls_to_zero,
    series,
    undefined,
    vanishes,
)

# Samples after which something breaks, for a test that looks after five minutes.
EARLY = 2 * MINUTE
JUST_NOW = 5 * MINUTE - 2


def cases() -> list[Case]:
    """Return these cases."""
    return [*_dependencies(), *_presence()]


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
    servers = [
        series("haproxy_server_status", edge | {"proxy": "replicas", "server": f"replica{n}", "state": "UP"})
        for n in (1, 2, 3)
    ]
    prometheus_labels = {"job": "prometheus", "instance": "prometheus:9090"}
    prometheus = series("up", prometheus_labels)
    essential = {job: series(metric, {"job": job}) for job, metric in ESSENTIAL_METRICS.items()}
    failed = series("alertmanager_notifications_failed_total", {"job": "alertmanager", "integration": "webhook"})
    complete = {essential["edge"]: always(1)}
    deploying = {series("process_start_time_seconds", prometheus_labels): always(0)}
    long_ago = {series("process_start_time_seconds", prometheus_labels): always(-DEPLOYING_SECONDS)}
    all_there = dict.fromkeys(essential.values(), always(1))
    return [
        Case(
            alert="ReplicaMissing",
            at="5m",
            fires_on={first: always(1), second: vanishes(minutes=2), served: always(0), **complete},
            firing=(
                Firing("1", {"job": "service", "seen_by": "prometheus"}),
                Firing("2", {"job": "service", "seen_by": "edge"}),
            ),
            also=(
                (
                    {
                        first: always(1),
                        second: always(1),
                        served: always(2),
                        **dict.fromkeys(servers, always(0)),
                        **complete,
                    },
                    tuple(Firing("1", {"job": "service", "seen_by": seen_by}) for seen_by in ("prometheus", "edge")),
                ),
            ),
            silent_on={
                "replaced by the next release": {
                    first: always(1),
                    second: vanishes(minutes=3),
                    third: f"_x{2 * MINUTE} {always(1)}",
                    served: always(2),
                    **complete,
                },
                "down for a moment": {first: always(1), second: falls_to_zero(JUST_NOW), **complete},
                "not deployed yet": {first: always(1), **deploying},
                "fewer serve than a release that is on its way will have": {
                    first: always(1),
                    served: always(1),
                    **dict.fromkeys(servers[:1], always(1)),
                    **complete,
                },
            },
        ),
        Case(
            alert="TargetDown",
            at="5m",
            fires_on={series("up", edge): falls_to_zero(EARLY), **complete},
            firing=(Firing(labels=edge),),
            # Never deployed, though there was time enough.
            also=(({series("up", edge): always(0), **long_ago}, (Firing(labels=edge),)),),
            silent_on={
                "up": {series("up", edge): always(1), **complete},
                "down for a moment": {series("up", edge): falls_to_zero(JUST_NOW), **complete},
                "not deployed yet": {series("up", edge): always(0), **deploying},
            },
        ),
        Case(
            alert="MetricsAbsent",
            at="5m",
            fires_on={**all_there, essential["redis"]: vanishes(minutes=2)},
            firing=(Firing(labels={"job": "redis", "metric": ESSENTIAL_METRICS["redis"]}),),
            silent_on={"everything there": all_there, "not deployed yet": deploying},
        ),
        Case(
            alert="NotificationsFailing",
            at="7m",
            fires_on={failed: each(1)},
            firing=(Firing(labels={"integration": "webhook"}),),
            silent_on={
                "delivered": {failed: always(0)},
                "failed some time ago": {failed: each_until(MINUTE, 1)},
            },
        ),
        Case(
            alert="Watchdog",
            at="5m",
            fires_on={prometheus: always(1)},
            firing=(Firing("0 s"),),
            silent_on={"nothing stored for two minutes": {prometheus: f"1x{3 * MINUTE} _x{5 * MINUTE}"}},
        ),
    ]
