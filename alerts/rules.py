"""The alerts: what is wrong, how bad it is, which figure says so, and which alert explains it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from alerts import recordings as record
from alerts.metrics import (
    ALERTMANAGER_JOB,
    DATABASE_ROLE_RESTRICTED,
    EDGE_JOB,
    POSTGRES_JOB,
    PROMETHEUS_JOB,
    REDIS_JOB,
    REQUEST_LATENCY,
    SERVICE_JOB,
)
from alerts.recordings import LONG, RATIO, SHORT
from alerts.targets import Targets

# Below these a ratio or a quantile says more about chance than about the service.
AUTH_REQUESTS_FLOOR = 50
CACHE_LOOKUPS_FLOOR = 100
_BUSY = f"{record.auth_requests(LONG)} >= {AUTH_REQUESTS_FLOOR}"

# Proof that every job delivers: a series of each that exists whenever its target answers properly.
ESSENTIAL_METRICS = {
    SERVICE_JOB: f"{REQUEST_LATENCY}_count",
    POSTGRES_JOB: "pg_up",
    REDIS_JOB: "redis_up",
    EDGE_JOB: "haproxy_process_start_time_seconds",
    PROMETHEUS_JOB: "up",
    ALERTMANAGER_JOB: "up",
}


class Severity(StrEnum):
    """Who hears of it: a person at once, a person in working hours, or the dead man's switch."""

    PAGE = "page"
    TICKET = "ticket"
    NONE = "none"


@dataclass(frozen=True)
class Alert:
    """One alert.

    `summary` is a format string: `{value}` stands for the figure, where there is more to say than up or down,
    and any other name for the label of that name. `figure` is the Prometheus template that renders the value.
    `labels` are added to those that the expression yields. `explained_by` names the alerts that make this one
    a mere consequence: while one of them fires with the same `explained_within` labels, this one notifies
    nobody.
    """

    name: str
    severity: Severity
    expression: str
    summary: str
    figure: str = '{{ $value | printf "%.0f" }}'
    pending: str = "0s"
    explained_by: tuple[str, ...] = ()
    explained_within: tuple[str, ...] = ("stack",)
    labels: Mapping[str, str] = field(default_factory=dict)


def alerts(targets: Targets) -> list[Alert]:
    """Return every alert, derived from the targets."""
    return [
        *_latency(targets),
        *_ratios(targets),
        *_dependencies(),
        *_presence(),
        _watchdog(),
    ]


def _latency(targets: Targets) -> list[Alert]:
    figure = '{{ $value | printf "%.1f" }} ms'
    return [
        Alert(
            name="AuthLatencyHigh",
            severity=Severity.PAGE,
            expression=f"{_over(record.auth_p95, targets.auth_latency_p95_ms)} and {_BUSY}",
            summary=f"p95 of auth requests is {{value}}, target below {targets.auth_latency_p95_ms} ms",
            figure=figure,
            pending="30s",
            explained_by=("PostgresDown", "RedisDown"),
        ),
        Alert(
            name="ValidationLatencyHigh",
            severity=Severity.PAGE,
            expression=f"{_over(record.validation_p95, targets.validation_latency_p95_ms)} and {_BUSY}",
            summary=f"p95 of token validations is {{value}}, target below {targets.validation_latency_p95_ms} ms",
            figure=figure,
            pending="30s",
            explained_by=("PostgresDown", "RedisDown"),
        ),
    ]


def _ratios(targets: Targets) -> list[Alert]:
    hit_rate, queries = record.hit_rate_percent(RATIO), record.queries_per_request(RATIO)
    return [
        Alert(
            name="ErrorRateHigh",
            severity=Severity.PAGE,
            expression=f"{_over(record.error_percent, targets.error_rate_max_percent)} and {_BUSY}",
            summary=f"{{value}} of API requests fail, target below {targets.error_rate_max_percent} %",
            figure='{{ $value | printf "%.1f" }} %',
            pending="30s",
            explained_by=("PostgresDown",),
        ),
        Alert(
            name="CacheHitRateLow",
            severity=Severity.TICKET,
            expression=f"{hit_rate} <= {targets.cache_hit_rate_min_percent}"
            f" and {record.cache_lookups(RATIO)} >= {CACHE_LOOKUPS_FLOOR}",
            summary=f"cache hit rate is {{value}}, target above {targets.cache_hit_rate_min_percent} %",
            figure='{{ $value | printf "%.1f" }} %',
            pending="5m",
            explained_by=("RedisDown",),
        ),
        Alert(
            name="QueriesPerRequestHigh",
            severity=Severity.TICKET,
            expression=f"{queries} >= {targets.queries_per_auth_request_max}"
            f" and {record.auth_requests(RATIO)} >= {AUTH_REQUESTS_FLOOR}",
            summary="an auth request costs {value} database queries, "
            f"target below {targets.queries_per_auth_request_max}",
            figure='{{ $value | printf "%.1f" }}',
            pending="5m",
            explained_by=("RedisDown",),
        ),
    ]


def _dependencies() -> list[Alert]:
    return [
        Alert(
            name="PostgresDown",
            severity=Severity.PAGE,
            expression="pg_up == 0",
            summary="PostgreSQL does not answer {instance}",
            pending="15s",
        ),
        Alert(
            name="RedisDown",
            severity=Severity.PAGE,
            expression="redis_up == 0 or janua_redis_up == 0",
            summary="Redis does not answer {instance}",
            pending="15s",
        ),
        Alert(
            name="DatabaseRoleUnrestricted",
            severity=Severity.TICKET,
            expression=f"{DATABASE_ROLE_RESTRICTED} == 0",
            summary="row level security does not bind the database role of {instance}",
            pending="1m",
        ),
    ]


def _presence() -> list[Alert]:
    return [
        Alert(
            name="ReplicaMissing",
            severity=Severity.PAGE,
            expression=f"scalar({record.REPLICAS_EXPECTED}) - {record.REPLICAS_UP} > 0",
            summary="{value} of the expected service replicas missing, as seen by {seen_by}",
            pending="30s",
            labels={"job": SERVICE_JOB},
        ),
        Alert(
            name="TargetDown",
            severity=Severity.PAGE,
            expression=f'up{{job!="{SERVICE_JOB}"}} == 0',
            summary="Prometheus cannot scrape {job} at {instance}",
            pending="30s",
        ),
        Alert(
            name="MetricsAbsent",
            severity=Severity.PAGE,
            expression=" or ".join(_absent(metric, job) for job, metric in ESSENTIAL_METRICS.items()),
            summary="no {metric} from {job}: nobody is watching it",
            pending="1m",
            explained_by=("ReplicaMissing", "TargetDown"),
            explained_within=("stack", "job"),
        ),
    ]


def _watchdog() -> Alert:
    # It needs a fresh sample, so it falls silent when scraping, storing or evaluating stops: an expression
    # that is always true would go on firing over a Prometheus that takes nothing in.
    return Alert(
        name="Watchdog",
        severity=Severity.NONE,
        expression=f'time() - max(timestamp(up{{job="{PROMETHEUS_JOB}"}})) < 60',
        summary="monitoring works, its newest sample is {value} old: only the silence of this alert is bad",
        figure='{{ $value | printf "%.0f" }} s',
    )


def _over(figure: Callable[[str], str], limit: float) -> str:
    """Demand that both windows miss the target, and show the long one's figure."""
    return f"{figure(LONG)} >= {limit} and {figure(SHORT)} >= {limit}"


def _absent(metric: str, job: str) -> str:
    """Fire with the labels `job` and `metric` when the series does not exist."""
    return f'label_replace(absent({metric}{{job="{job}"}}), "metric", "{metric}", "", "")'
