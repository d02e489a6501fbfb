"""Alerts on what the service depends on, on what should be there, and on the watching itself."""

from alerts import recordings as record
from alerts.alert import Alert, Severity
from alerts.metrics import (
    ALERTMANAGER_JOB,
    CADVISOR_JOB,
    DATABASE_ROLE_RESTRICTED,
    EDGE_JOB,
    EDGE_STARTED,
    NODE_JOB,
    POSTGRES_JOB,
    PROMETHEUS_JOB,
    REDIS_JOB,
    REQUEST_LATENCY,
    SERVICE_JOB,
)
from dashboards import uids

# Proof that every job delivers: a series of each that exists whenever its target answers properly.
ESSENTIAL_METRICS = {
    SERVICE_JOB: f"{REQUEST_LATENCY}_count",
    POSTGRES_JOB: "pg_up",
    REDIS_JOB: "redis_up",
    EDGE_JOB: EDGE_STARTED,
    NODE_JOB: "node_load1",
    CADVISOR_JOB: "container_memory_working_set_bytes",
    PROMETHEUS_JOB: "up",
    ALERTMANAGER_JOB: "up",
}


def alerts() -> list[Alert]:
    """Return these alerts."""
    return [*_dependencies(), *_presence(), *_watching()]


def _dependencies() -> list[Alert]:
    return [
        Alert(
            name="PostgresDown",
            severity=Severity.PAGE,
            expression="pg_up == 0",
            summary="PostgreSQL does not answer {instance}",
            pending="15s",
            dashboard=uids.DATABASE,
        ),
        Alert(
            name="RedisDown",
            severity=Severity.PAGE,
            expression="redis_up == 0 or janua_redis_up == 0",
            summary="Redis does not answer {instance}",
            pending="15s",
            dashboard=uids.CACHE,
        ),
        Alert(
            name="DatabaseRoleUnrestricted",
            severity=Severity.TICKET,
            expression=f"{DATABASE_ROLE_RESTRICTED} == 0",
            summary="row level security does not bind the database role of {instance}",
            pending="1m",
            dashboard=uids.DATABASE,
        ),
    ]


def _presence() -> list[Alert]:
    return [
        Alert(
            name="ReplicaMissing",
            severity=Severity.PAGE,
            expression=_once_complete(f"scalar({record.REPLICAS_EXPECTED}) - {record.REPLICAS_UP} > 0"),
            summary="{value} of the expected service replicas missing, as seen by {seen_by}",
            pending="30s",
            labels={"job": SERVICE_JOB},
        ),
        Alert(
            name="TargetDown",
            severity=Severity.PAGE,
            expression=_once_complete(f'up{{job!="{SERVICE_JOB}"}} == 0'),
            summary="Prometheus cannot scrape {job} at {instance}",
            pending="30s",
        ),
        Alert(
            name="MetricsAbsent",
            severity=Severity.PAGE,
            expression=_once_complete(" or ".join(_absent(metric, job) for job, metric in ESSENTIAL_METRICS.items())),
            summary="no {metric} from {job}: nobody is watching it",
            pending="1m",
            explained_by=("ReplicaMissing", "TargetDown"),
            explained_within=("stack", "job"),
        ),
    ]


def _watching() -> list[Alert]:
    return [
        Alert(
            name="NotificationsFailing",
            severity=Severity.TICKET,
            expression="sum by (integration) (rate(alertmanager_notifications_failed_total[5m])) > 0",
            summary="Alertmanager cannot deliver to {integration}",
            pending="1m",
        ),
        # It needs a fresh sample, so it falls silent when scraping, storing or evaluating stops: an expression
        # that is always true would go on firing over a Prometheus that takes nothing in.
        Alert(
            name="Watchdog",
            severity=Severity.NONE,
            expression=f'time() - max(timestamp(up{{job="{PROMETHEUS_JOB}"}})) < 60',
            summary="monitoring works, its newest sample is {value} old: only the silence of this alert is bad",
            figure='{{ $value | printf "%.0f" }} s',
        ),
    ]


def _once_complete(expression: str) -> str:
    """Leave out what has not been deployed yet."""
    return f"({expression}) and on () {record.COMPLETE} == 1"


def _absent(metric: str, job: str) -> str:
    """Fire with the labels `job` and `metric` when the series does not exist."""
    return f'label_replace(absent({metric}{{job="{job}"}}), "metric", "{metric}", "", "")'
