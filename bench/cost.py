"""CPU time of containers, as the kernel accounts it for their control groups.

A container's processes, all their threads and children are in it, whatever they were doing and whoever asked them.
"""

from pathlib import Path

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")


class CostError(RuntimeError):
    """The CPU time of a process's control group cannot be found here."""


def counter_file(pid: int, proc: Path = _PROC, cgroups: Path = _CGROUPS) -> Path:
    """The file that counts the CPU time of the control group of process `pid`; CostError where there is none.

    With cgroup v1 that is `cpuacct.usage` of the controller cpuacct, with v2 `cpu.stat` of the one hierarchy. A host
    may have both: then v1 has the controllers, and v2 is empty.
    """
    memberships = [line.split(":", 2) for line in (proc / str(pid) / "cgroup").read_text().splitlines()]
    for _, controllers, path in memberships:
        if "cpuacct" in controllers.split(","):
            return _existing(cgroups / controllers / path.lstrip("/") / "cpuacct.usage")
    for number, _, path in memberships:
        if number == "0":
            return _existing(cgroups / path.lstrip("/") / "cpu.stat")
    raise CostError(f"process {pid} is in no control group that counts CPU time")


def cpu_seconds(file: Path) -> float:
    """CPU time that a counter file tells: `cpuacct.usage` holds nanoseconds, `cpu.stat` a line with microseconds."""
    text = file.read_text()
    if file.name == "cpuacct.usage":
        return int(text) / 1e9
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == "usage_usec":
            return int(value) / 1e6
    raise CostError(f"{file} has no usage_usec")


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise CostError(f"{file} is missing: is the control group's file system mounted there?")
    return file
