"""Cases of what is about to be full."""

from collections.abc import Callable

from alerts.cases.case import Case, Firing
from alerts.series import MINUTE, Series, always, each, each_until, series

_REPLICA = {"job": "service", "instance": "10.0.0.1:8000"}
_POSTGRES = {"job": "postgres", "instance": "postgres-exporter:9187"}
_REDIS = {"job": "redis", "instance": "redis-exporter:9121"}
_NODE = {"job": "node", "instance": "node-exporter:9100"}
_CONTAINER = {"job": "cadvisor", "instance": "cadvisor:8080", "part": "redis"}


def cases() -> list[Case]:
    """Return these cases."""
    return [*_database(), _hashing(), *_memory(), *_disk()]


def _share(used: str, size: str) -> Callable[[int, int], Series]:
    """Return what gives the two series for how much is used, and of how much."""
    return lambda taken, whole: {used: always(taken), size: always(whole)}


def _database() -> list[Case]:
    pool = _share(
        series("janua_db_pool_connections", _REPLICA | {"state": "in_use"}), series("janua_db_pool_size", _REPLICA)
    )
    active, idle = (series("pg_stat_activity_count", _POSTGRES | {"state": state}) for state in ("active", "idle"))
    most = series("pg_settings_max_connections", _POSTGRES)
    return [
        Case(
            alert="DatabasePoolSaturated",
            at="5m",
            fires_on=pool(5, 5),
            firing=(Firing("100.0 %", _REPLICA),),
            silent_on={"one is left": pool(4, 5)},
        ),
        Case(
            alert="PostgresConnectionsHigh",
            at="5m",
            fires_on={active: always(45), idle: always(40), most: always(100)},
            firing=(Firing("85.0 %", {"instance": _POSTGRES["instance"]}),),
            silent_on={"some are left": {active: always(45), idle: always(30), most: always(100)}},
        ),
    ]


def _hashing() -> Case:
    rejections = series("janua_hash_rejections_total", _REPLICA)
    return Case(
        alert="HashQueueFull",
        at="8m",
        fires_on={rejections: each(1)},
        firing=(Firing("0.20"),),
        silent_on={"none is refused": {rejections: always(0)}, "long ago": {rejections: each_until(MINUTE, 10)}},
    )


def _memory() -> list[Case]:
    redis = _share(series("redis_memory_used_bytes", _REDIS), series("redis_memory_max_bytes", _REDIS))
    container = _share(
        series("container_memory_working_set_bytes", _CONTAINER | {"name": "a"}),
        series("container_spec_memory_limit_bytes", _CONTAINER | {"name": "a"}),
    )
    return [
        Case(
            alert="RedisMemoryHigh",
            at="8m",
            fires_on=redis(95, 100),
            firing=(Firing("95.0 %", _REDIS),),
            silent_on={"room is left": redis(80, 100), "it has no limit": redis(95, 0)},
        ),
        Case(
            alert="ContainerMemoryHigh",
            at="8m",
            fires_on=container(95, 100),
            firing=(Firing("95.0 %", {"part": "redis"}),),
            silent_on={"room is left": container(80, 100), "it has no limit": container(95, 0)},
        ),
    ]


def _disk() -> list[Case]:
    disk = _share(series("node_filesystem_avail_bytes", _NODE), series("node_filesystem_size_bytes", _NODE))
    return [
        Case(
            alert="DiskSpaceCritical",
            at="5m",
            fires_on=disk(2, 100),
            firing=(Firing("2.0 %", _NODE),),
            silent_on={"little is left": disk(5, 100)},
        ),
        Case(
            alert="DiskSpaceLow",
            at="8m",
            fires_on=disk(8, 100),
            firing=(Firing("8.0 %", _NODE),),
            silent_on={"room is left": disk(20, 100)},
        ),
    ]
