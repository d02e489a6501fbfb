"""The rules for containers: one that obeys them all, and one violation of each, described and running."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_docker as docker
import pytest

from infra.hardening import preview, running
from infra.hardening.rules import RULES, violations
from infra.hardening.shape import Shape
from tests.unit.infra.program import Engine, run_program

OBEDIENT = Shape(
    "service-1",
    user="10001:10001",
    read_only=True,
    dropped=frozenset({"ALL"}),
    new_privileges=False,
    memory_mb=64,
    swap_mb=64,
    processors=0.5,
    processes=100,
    log_size="1m",
    log_files="2",
)
VIOLATIONS: dict[str, list[dict[str, Any]]] = {
    "non-root": [{"user": ""}, {"user": "0:0"}, {"user": "root"}],
    "no-capabilities": [{"dropped": frozenset()}, {"added": frozenset({"NET_ADMIN"})}],
    "no-new-privileges": [{"new_privileges": True}, {"privileged": True}],
    "read-only-root": [{"read_only": False}],
    "memory-limit": [{"memory_mb": 0}, {"swap_mb": 128}, {"swap_mb": -1}],
    "processor-limit": [{"processors": 0}],
    "process-limit": [{"processes": 0}],
    "log-rotation": [{"log_size": ""}, {"log_files": ""}],
    "own-namespaces": [{"shared": frozenset({"pid"})}],
    "published-ports": [{"published": frozenset({("127.0.0.1", 5432)})}],
    "host-paths": [{"host_paths": {"/etc": True}}],
}


def test_there_is_a_violation_of_every_rule() -> None:
    assert VIOLATIONS.keys() == {rule.name for rule in RULES}


def test_who_obeys_breaks_none() -> None:
    assert violations(OBEDIENT) == []


@pytest.mark.parametrize(("name", "change"), [(name, change) for name, some in VIOLATIONS.items() for change in some])
def test_each_violation_is_found_and_nothing_else(name: str, change: dict[str, Any]) -> None:
    (found,) = violations(replace(OBEDIENT, **change))
    assert found.startswith(f"{name}: ")


def test_exceptions_are_for_those_that_are_named() -> None:
    read_only, writable = {"/var/run/docker.sock": True}, {"/srv/backups": False}
    published = frozenset({("127.0.0.1", 8080)})
    assert violations(replace(OBEDIENT, name="cadvisor", user="0:0", host_paths=read_only)) == []
    assert violations(replace(OBEDIENT, name="backup", user="0:0", host_paths=writable)) == []
    assert violations(replace(OBEDIENT, name="edge", published=published)) == []
    assert violations(replace(OBEDIENT, name="service-1-files", starts=False, read_only=False)) == []
    [writes] = violations(replace(OBEDIENT, name="cadvisor", host_paths=writable))
    assert writes.startswith("host-paths")
    [everywhere] = violations(replace(OBEDIENT, name="edge", published=frozenset({("", 8080)})))
    assert everywhere.startswith("published-ports")


def hardened(**changes: Any) -> dict[str, Any]:
    """The properties of a container that obeys every rule, with some of them changed or (None) left out."""
    properties: dict[str, Any] = {
        "image": "sha256:an-image",
        "user": "10001:10001",
        "read_only": True,
        "capabilities": docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        "security_opts": ["no-new-privileges:true"],
        "memory": 64,
        "memory_swap": 64,
        "cpu_period": 100_000,
        "cpu_quota": 50_000,
        "ulimits": [docker.ContainerUlimitArgs(name="nproc", soft=100, hard=100)],
        "log_opts": {"max-size": "1m", "max-file": "2"},
    }
    return {key: value for key, value in {**properties, **changes}.items() if value is not None}


DESCRIBED: dict[str, dict[str, Any]] = {
    "non-root": {"user": None},
    "no-capabilities": {"capabilities": {"drops": ["ALL"], "adds": ["SYS_ADMIN"]}},
    "no-new-privileges": {"security_opts": None},
    "read-only-root": {"read_only": None},
    "memory-limit": {"memory": None},
    "processor-limit": {"cpu_quota": None},
    "process-limit": {"ulimits": None},
    "log-rotation": {"log_opts": None},
    "own-namespaces": {"network_mode": "host"},
    "published-ports": {"ports": [docker.ContainerPortArgs(internal=5432, external=5432, ip="127.0.0.1")]},
    "host-paths": {"volumes": [docker.ContainerVolumeArgs(host_path="/etc", container_path="/etc", read_only=True)]},
}


def previewed(properties: dict[str, Any]) -> Engine:
    """Preview a program with one container, called `extra`, of these properties."""

    def program() -> None:
        preview.require_hardened_containers()
        docker.Container("extra", **properties)

    return run_program(program)


def test_a_container_that_obeys_is_previewed() -> None:
    assert set(previewed(hardened()).of(preview.CONTAINER)) == {"extra"}


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_a_preview_names_the_container_and_the_rule_that_it_breaks(rule: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        previewed(hardened(**DESCRIBED[rule]))
    container, broken = str(refused.value).splitlines()
    assert container == "container 'extra' may not be deployed:"
    assert broken.startswith(f"  {rule}: ")


INSPECTED: dict[str, Any] = {
    "Config": {"User": "10001:10001"},
    "State": {"Status": "running"},
    "Mounts": [{"Type": "volume", "Source": "/var/lib/docker/volumes/x", "RW": True}],
    "HostConfig": {
        "Privileged": False,
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "CapAdd": None,
        "SecurityOpt": ["no-new-privileges:true"],
        "Memory": 64 * 1024 * 1024,
        "MemorySwap": 64 * 1024 * 1024,
        "NanoCpus": 0,
        "CpuPeriod": 100_000,
        "CpuQuota": 50_000,
        "PidsLimit": 100,
        "Ulimits": None,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
        "PortBindings": None,
        "NetworkMode": "default",
        "PidMode": "",
        "IpcMode": "private",
    },
}


def _host(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda inspected: inspected["HostConfig"].__setitem__(key, value)


RUNNING: dict[str, Callable[[dict[str, Any]], None]] = {
    "non-root": lambda inspected: inspected["Config"].__setitem__("User", ""),
    "no-capabilities": _host("CapAdd", ["SYS_ADMIN"]),
    "no-new-privileges": _host("SecurityOpt", None),
    "read-only-root": _host("ReadonlyRootfs", False),
    "memory-limit": _host("Memory", 0),
    "processor-limit": _host("CpuQuota", 0),
    "process-limit": _host("PidsLimit", None),
    "log-rotation": _host("LogConfig", {"Type": "json-file", "Config": {}}),
    "own-namespaces": _host("NetworkMode", "host"),
    "published-ports": _host("PortBindings", {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5432"}]}),
    "host-paths": lambda inspected: inspected["Mounts"].append({"Type": "bind", "Source": "/etc", "RW": False}),
}


def test_what_runs_as_it_should_breaks_none() -> None:
    assert running.shape_of("service-1", INSPECTED) == OBEDIENT


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_what_runs_against_a_rule_is_found(rule: str) -> None:
    inspected = deepcopy(INSPECTED)
    RUNNING[rule](inspected)
    (found,) = violations(running.shape_of("service-1", inspected))
    assert found.startswith(f"{rule}: ")
