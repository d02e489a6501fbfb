from pathlib import Path

import pytest

from bench.cost import CostError, counter_file, cpu_seconds


def member_of(folder: Path, *lines: str) -> tuple[Path, Path]:
    """/proc with process 7 in those control groups, and where the control groups' file systems are."""
    proc = folder / "proc"
    (proc / "7").mkdir(parents=True)
    (proc / "7" / "cgroup").write_text("".join(f"{line}\n" for line in lines))
    return proc, folder / "cgroup"


def counter(cgroups: Path, name: str, text: str) -> Path:
    file = cgroups / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("controllers", ["cpuacct", "cpu,cpuacct"])
def test_cgroup_v1_counts_nanoseconds(tmp_path: Path, controllers: str) -> None:
    proc, cgroups = member_of(tmp_path, "4:memory:/other", f"2:{controllers}:/docker/abc", "0::/docker/abc")
    file = counter(cgroups, f"{controllers}/docker/abc/cpuacct.usage", "2500000000\n")
    assert counter_file(7, proc, cgroups) == file
    assert cpu_seconds(file) == 2.5


def test_cgroup_v2_counts_microseconds(tmp_path: Path) -> None:
    proc, cgroups = member_of(tmp_path, "0::/system.slice/docker-abc.scope")
    text = "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n"
    file = counter(cgroups, "system.slice/docker-abc.scope/cpu.stat", text)
    assert counter_file(7, proc, cgroups) == file
    assert cpu_seconds(file) == 1.5


def test_what_counts_nothing_is_an_error(tmp_path: Path) -> None:
    proc, cgroups = member_of(tmp_path, "4:memory:/docker/abc")
    with pytest.raises(CostError, match="no control group"):
        counter_file(7, proc, cgroups)
    file = counter(cgroups, "cpu.stat", "nr_periods 0\n")
    with pytest.raises(CostError, match="usage_usec"):
        cpu_seconds(file)


def test_a_file_system_that_is_not_mounted_is_named(tmp_path: Path) -> None:
    proc, cgroups = member_of(tmp_path, "0::/docker/abc")
    with pytest.raises(CostError, match=r"cgroup/docker/abc/cpu\.stat is missing"):
        counter_file(7, proc, cgroups)
