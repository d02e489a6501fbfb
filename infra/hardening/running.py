"""A container as `docker inspect` describes it."""

from collections.abc import Iterable, Mapping
from typing import Any

from infra.hardening.shape import Shape

_MEBIBYTE = 1024 * 1024


def shape_of(name: str, inspected: Mapping[str, Any]) -> Shape:
    """Return the shape of a container that the engine has made, of what `docker inspect` says of it."""
    host = inspected["HostConfig"]
    period = host["CpuPeriod"] or 100_000
    log = host["LogConfig"]["Config"]
    return Shape(
        name,
        user=inspected["Config"]["User"],
        starts=inspected["State"]["Status"] != "created",
        privileged=host["Privileged"],
        read_only=host["ReadonlyRootfs"],
        dropped=frozenset(host["CapDrop"] or ()),
        added=frozenset(host["CapAdd"] or ()),
        new_privileges=not any(option.startswith("no-new-privileges") for option in host["SecurityOpt"] or ()),
        memory_mb=host["Memory"] // _MEBIBYTE,
        swap_mb=host["MemorySwap"] // _MEBIBYTE,
        processors=host["NanoCpus"] / 1e9 or host["CpuQuota"] / period,
        processes=max(0, host["PidsLimit"] or 0) or _ulimit(host["Ulimits"] or ()),
        log_size=log.get("max-size", ""),
        log_files=log.get("max-file", ""),
        published=frozenset(_published(host["PortBindings"] or {})),
        host_paths={mount["Source"]: not mount["RW"] for mount in inspected["Mounts"] if mount["Type"] == "bind"},
        shared=frozenset(kind for kind in ("Network", "Pid", "Ipc") if host[f"{kind}Mode"] == "host"),
    )


def _ulimit(limits: Iterable[Mapping[str, Any]]) -> int:
    return next((int(limit["Hard"]) for limit in limits if limit["Name"] == "nproc"), 0)


def _published(bindings: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
    for places in bindings.values():
        for place in places or ():
            yield place["HostIp"], int(place["HostPort"] or 0)
