"""The rules, each a plain function of a container's shape; what is excepted from one is named here, with its reason."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.hardening.shape import Shape

ROOT = {
    "cadvisor": "it reads the engine's socket and folders, which are root's; it may change none of them",
    "textfile": "a new volume is root's, and this step opens it for the others",
    "backup": "dumps belong to whom their folder belongs to, root where root deploys",
    "job": "the same, on demand",
}
HOST_PATHS = {
    "cadvisor": "it reads what the kernel and the engine say of all containers",
    "backup": "dumps survive the stack",
    "job": "the same, on demand",
}
WRITES_TO_HOST = frozenset({"backup", "job"})
PUBLISHED = frozenset({"edge", "prometheus", "alertmanager", "grafana", "zipkin"})
_ROOTS = frozenset({"", "root", "0"})


@dataclass(frozen=True)
class Rule:
    """`broken` returns what is wrong with a container, or nothing."""

    name: str
    broken: Callable[[Shape], str | None]


def violations(shape: Shape) -> list[str]:
    """Return for each rule that a container breaks its name and what is wrong; empty if it obeys them all."""
    return [f"{rule.name}: {wrong}" for rule in RULES if (wrong := rule.broken(shape))]


def _non_root(shape: Shape) -> str | None:
    if shape.user.partition(":")[0] in _ROOTS and shape.name not in ROOT:
        return f"it runs as {shape.user or 'whom its image names'}; name a user that is not root"
    return None


def _no_capabilities(shape: Shape) -> str | None:
    if "ALL" not in shape.dropped:
        return "it keeps capabilities; drop ALL"
    if shape.added:
        return f"it is given {', '.join(sorted(shape.added))}; no part needs a capability"
    return None


def _no_privileges(shape: Shape) -> str | None:
    if shape.privileged:
        return "it is privileged"
    return "its processes may gain privileges; set no-new-privileges" if shape.new_privileges else None


def _read_only(shape: Shape) -> str | None:
    if shape.starts and not shape.read_only:
        return "its root file system can be written; set read_only, and give it volumes or tmpfs for what it writes"
    return None


def _memory(shape: Shape) -> str | None:
    if not shape.memory_mb:
        return "its memory has no limit"
    return None if shape.swap_mb == shape.memory_mb else "it may swap; its memory_swap is to be its memory"


def _processors(shape: Shape) -> str | None:
    return None if shape.processors else "its processor time has no limit"


def _processes(shape: Shape) -> str | None:
    return None if shape.processes else "the number of its processes has no limit"


def _log(shape: Shape) -> str | None:
    return None if shape.log_size and shape.log_files else "its log grows without end; set max-size and max-file"


def _own_namespaces(shape: Shape) -> str | None:
    return f"it shares the host's {', '.join(sorted(shape.shared))}" if shape.shared else None


def _published(shape: Shape) -> str | None:
    if shape.published and shape.name not in PUBLISHED:
        return f"it publishes {', '.join(str(port) for _, port in sorted(shape.published))}; nobody uses it directly"
    everywhere = [str(port) for address, port in sorted(shape.published) if not address]
    return f"it publishes {', '.join(everywhere)} on no address in particular" if everywhere else None


def _host_paths(shape: Shape) -> str | None:
    if shape.host_paths and shape.name not in HOST_PATHS:
        return f"it sees {', '.join(sorted(shape.host_paths))} of the host"
    written = sorted(path for path, is_read_only in shape.host_paths.items() if not is_read_only)
    if written and shape.name not in WRITES_TO_HOST:
        return f"it may write to {', '.join(written)} of the host"
    return None


RULES = (
    Rule("non-root", _non_root),
    Rule("no-capabilities", _no_capabilities),
    Rule("no-new-privileges", _no_privileges),
    Rule("read-only-root", _read_only),
    Rule("memory-limit", _memory),
    Rule("processor-limit", _processors),
    Rule("process-limit", _processes),
    Rule("log-rotation", _log),
    Rule("own-namespaces", _own_namespaces),
    Rule("published-ports", _published),
    Rule("host-paths", _host_paths),
)
