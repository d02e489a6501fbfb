"""What the rules look at in a container, whether it is only described yet or runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shape:
    """A container's privileges and limits, as far as they are known; an empty `shape` has none of the limits.

    `dropped` and `added` are capabilities, `processors` how many it may keep busy, `processes` how many it may have,
    `log_files` how many files of its log are kept, of `log_size` each. `published` are pairs of an address of the host
    and a port, `host_paths` those parts of the host that it sees, and whether it may only read them. `shared` are the
    host's namespaces that it shares. One that is never started (`starts`) only carries files.
    """

    name: str
    user: str = ""
    starts: bool = True
    privileged: bool = False
    read_only: bool = False
    dropped: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    new_privileges: bool = True
    memory_mb: int = 0
    swap_mb: int = 0
    processors: float = 0
    processes: int = 0
    log_size: str = ""
    log_files: str = ""
    published: frozenset[tuple[str, int]] = frozenset()
    host_paths: Mapping[str, bool] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
