"""A container as a Pulumi program describes it, refused before it is made."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Output

from infra.hardening.rules import violations
from infra.hardening.shape import Shape

CONTAINER = "docker:index/container:Container"


def require_hardened_containers() -> None:
    """From now on, refuse every container that breaks a rule, whoever makes it. Raises pulumi.RunError then."""
    pulumi.runtime.register_stack_transformation(_require)


def _require(args: pulumi.ResourceTransformationArgs) -> None:
    if args.type_ != CONTAINER:
        return
    broken = violations(described(args.name, args.props))
    if broken:
        mistakes = "\n".join(f"  {rule}" for rule in broken)
        raise pulumi.RunError(f"container '{args.name}' may not be deployed:\n{mistakes}")


def described(name: str, properties: Mapping[str, Any]) -> Shape:
    """Return the shape of a container by its properties; what is known only later counts as not given."""
    given = {key: value for key, value in properties.items() if value is not None and not isinstance(value, Output)}
    log = given.get("log_opts", {})
    return Shape(
        name,
        user=given.get("user", ""),
        starts=given.get("start", True),
        privileged=given.get("privileged", False),
        read_only=given.get("read_only", False),
        dropped=frozenset(_of(given.get("capabilities"), "drops") or ()),
        added=frozenset(_of(given.get("capabilities"), "adds") or ()),
        new_privileges="no-new-privileges:true" not in given.get("security_opts", ()),
        memory_mb=given.get("memory", 0),
        swap_mb=given.get("memory_swap", 0),
        processors=given.get("cpu_quota", 0) / given.get("cpu_period", 100_000),
        processes=next((_of(limit, "hard") for limit in _list(given, "ulimits") if _of(limit, "name") == "nproc"), 0),
        log_size=log.get("max-size", ""),
        log_files=log.get("max-file", ""),
        published=frozenset((_of(port, "ip") or "", _of(port, "external") or 0) for port in _list(given, "ports")),
        host_paths={
            path: bool(_of(volume, "read_only"))
            for volume in _list(given, "volumes")
            if (path := _of(volume, "host_path"))
        },
        shared=frozenset(kind for kind in ("network", "pid", "ipc") if given.get(f"{kind}_mode") == "host"),
    )


def _list(given: Mapping[str, Any], key: str) -> Sequence[Any]:
    found: Sequence[Any] = given.get(key, ())
    return found


def _of(value: Any, name: str) -> Any:
    """Return a field of one of the provider's arguments, which may be given as an object or as a mapping."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
