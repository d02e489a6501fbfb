"""Alerts on what is about to be full."""

from alerts.alert import PERCENT, Alert, Severity
from alerts.metrics import SERVICE_JOB
from dashboards import uids

# Percent of what there is. Above these the next burst finds no room.
POOL_PERCENT = 90
CONNECTIONS_PERCENT = 80
MEMORY_PERCENT = 90
# Percent of the disk that is left: time to act, and time to get up.
DISK_LOW_PERCENT = 10
DISK_CRITICAL_PERCENT = 3

_DISK_LEFT = "100 * node_filesystem_avail_bytes / node_filesystem_size_bytes"


def alerts() -> list[Alert]:
    """Return these alerts."""
    return [*_database(), _hashing(), *_memory(), *_disk()]


def _database() -> list[Alert]:
    in_use = f'janua_db_pool_connections{{job="{SERVICE_JOB}",state="in_use"}}'
    return [
        Alert(
            name="DatabasePoolSaturated",
            severity=Severity.TICKET,
            expression=f"100 * {in_use} / ignoring (state) janua_db_pool_size >= {POOL_PERCENT}",
            summary=f"{{value}} of the database connections of {{instance}} are in use, limit {POOL_PERCENT} %",
            figure=PERCENT,
            pending="1m",
            dashboard=uids.DATABASE,
            explained_by=("PostgresDown", "RedisDown"),
        ),
        Alert(
            name="PostgresConnectionsHigh",
            severity=Severity.TICKET,
            expression="100 * sum by (instance) (pg_stat_activity_count)"
            f" / max by (instance) (pg_settings_max_connections) >= {CONNECTIONS_PERCENT}",
            summary=f"{{value}} of PostgreSQL's connections are taken, limit {CONNECTIONS_PERCENT} %",
            figure=PERCENT,
            pending="1m",
            dashboard=uids.DATABASE,
        ),
    ]


def _hashing() -> Alert:
    return Alert(
        name="HashQueueFull",
        severity=Severity.TICKET,
        expression="sum(rate(janua_hash_rejections_total[5m])) > 0",
        summary="{value} logins and signups a second are refused: their passwords would wait too long to be hashed",
        figure='{{ $value | printf "%.2f" }}',
        pending="1m",
        dashboard=uids.HOSTS,
    )


def _memory() -> list[Alert]:
    return [
        Alert(
            name="RedisMemoryHigh",
            severity=Severity.TICKET,
            expression=f"100 * redis_memory_used_bytes / (redis_memory_max_bytes > 0) >= {MEMORY_PERCENT}",
            summary=f"Redis uses {{value}} of its memory, limit {MEMORY_PERCENT} %",
            figure=PERCENT,
            pending="5m",
            dashboard=uids.CACHE,
        ),
        Alert(
            name="ContainerMemoryHigh",
            severity=Severity.TICKET,
            expression="100 * max by (part)"
            " (container_memory_working_set_bytes / (container_spec_memory_limit_bytes > 0))"
            f" >= {MEMORY_PERCENT}",
            summary=f"{{part}} uses {{value}} of its container's memory, limit {MEMORY_PERCENT} %",
            figure=PERCENT,
            pending="5m",
            dashboard=uids.HOSTS,
        ),
    ]


def _disk() -> list[Alert]:
    summary = "{value} of the disk of {instance} is left, limit"
    return [
        Alert(
            name="DiskSpaceCritical",
            severity=Severity.PAGE,
            expression=f"{_DISK_LEFT} < {DISK_CRITICAL_PERCENT}",
            summary=f"{summary} {DISK_CRITICAL_PERCENT} %",
            figure=PERCENT,
            pending="1m",
            dashboard=uids.HOSTS,
        ),
        Alert(
            name="DiskSpaceLow",
            severity=Severity.TICKET,
            expression=f"{_DISK_LEFT} < {DISK_LOW_PERCENT}",
            summary=f"{summary} {DISK_LOW_PERCENT} %",
            figure=PERCENT,
            pending="5m",
            dashboard=uids.HOSTS,
            explained_by=("DiskSpaceCritical",),
        ),
    ]
