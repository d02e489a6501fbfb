"""What runs obeys the rules for containers; from outside of its networks only the documented ports are there."""

import re
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container
from docker.models.networks import Network

from infra.containers import FILES_LABEL, PART_LABEL
from infra.hardening.rules import violations
from infra.hardening.running import shape_of
from tests.e2e.deployment import Deployment

DOCUMENTED = {"api_url", "prometheus_url", "alertmanager_url", "traces_url"}
EXTRA = """
import pulumi_docker

port = pulumi_docker.ContainerPortArgs(internal=5432, external=5432)
pulumi_docker.Container("extra", image=images.of("postgres").id, ports=[port])
"""
# In /proc/net/tcp: address and port in hexadecimal, and the state of a socket that listens.
LISTENING = re.compile(r"^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F:]+ 0A ", re.MULTILINE)
CONNECT = 'timeout 3 bash -c "exec 3<>/dev/tcp/${place/://}" 2>/dev/null && echo $place'
SCAN = f"for place in $PLACES; do ({CONNECT}) & done; wait"


def running(staging: Deployment) -> list[Container]:
    return [container for container in staging.containers() if container.status == "running"]


def test_every_container_obeys_every_rule(staging: Deployment) -> None:
    broken = {
        container.name: found
        for container in staging.containers()
        if (
            found := violations(
                shape_of(container.labels.get(PART_LABEL, container.labels.get(FILES_LABEL)), container.attrs)
            )
        )
    }
    assert broken == {}


def test_what_serves_has_a_limit_of_processes_of_its_own(staging: Deployment) -> None:
    assert len(running(staging)) >= 10
    for container in running(staging):
        assert container.attrs["HostConfig"]["PidsLimit"] == 256, container.name


def test_files_of_a_container_cannot_be_changed_in_it(staging: Deployment) -> None:
    (replica,) = staging.containers("service-1")
    code, output = replica.exec_run(["sh", "-c", "echo x > /run/secrets/signing_secret"], user="0:0")
    assert code != 0
    assert b"Read-only file system" in output
    code, output = replica.exec_run(["sh", "-c", "echo x > /app/service/app.py"], user="0:0")
    assert b"Read-only file system" in output


def test_a_preview_refuses_a_container_that_breaks_rules(staging: Deployment) -> None:
    program = staging.folder / "infra" / "__main__.py"
    before = program.read_text()
    program.write_text(before + EXTRA)
    try:
        preview = staging.pulumi("preview")
    finally:
        program.write_text(before)
    assert preview.returncode != 0
    assert "container 'extra' may not be deployed" in preview.stdout, preview.stdout
    for rule in ("non-root", "no-capabilities", "read-only-root", "memory-limit", "published-ports"):
        assert f"  {rule}: " in preview.stdout, preview.stdout


@pytest.fixture(scope="module")
def outside(staging: Deployment) -> Iterator[Network]:
    """A network that is none of the stack's."""
    made = docker.from_env().networks.create(f"janua-{staging.stack}-outside")
    yield made
    made.remove()


def scan(staging: Deployment, network: Network, places: list[str]) -> set[str]:
    """Return which of these `address:port` a container in a network can connect to."""
    # Its image has a bash and no volume, which would be left behind.
    (edge,) = staging.containers("edge")
    output = docker.from_env().containers.run(
        str(edge.image.id),
        ["bash", "-c", SCAN],
        environment={"PLACES": " ".join(places)},
        network=network.name,
        user="65534",
        labels={"com.janua.test": "1"},
        remove=True,
    )
    assert isinstance(output, bytes)
    return set(output.decode().split())


def listening(staging: Deployment) -> list[str]:
    """Return every `address:port` on which a part listens, in each of its networks."""
    places = []
    for container in running(staging):
        _, sockets = container.exec_run(["cat", "/proc/net/tcp", "/proc/net/tcp6"])
        assert isinstance(sockets, bytes)
        ports = {int(port, 16) for port in LISTENING.findall(sockets.decode())}
        networks = container.attrs["NetworkSettings"]["Networks"].values()
        places += [f"{network['IPAddress']}:{port}" for network in networks for port in ports]
    return places


def test_nothing_is_reached_from_outside_of_the_networks(staging: Deployment, outside: Network) -> None:
    places = listening(staging)
    assert {"5432", "6379", "8000", "8080", "9090"} <= {place.rpartition(":")[2] for place in places}
    assert scan(staging, outside, places) == set()


def test_the_scan_finds_what_is_there(staging: Deployment) -> None:
    (monitoring,) = docker.from_env().networks.list(names=[f"janua-{staging.stack}-monitoring"])
    [prometheus] = [place for place in listening(staging) if place.endswith(":9090")]
    assert scan(staging, monitoring, [prometheus]) == {prometheus}


def test_the_edge_cannot_reach_the_data(staging: Deployment) -> None:
    (edge,) = docker.from_env().networks.list(names=[f"janua-{staging.stack}-edge"])
    (postgres,), (redis,) = staging.containers("postgres"), staging.containers("redis")
    places = [
        f"{next(iter(one.attrs['NetworkSettings']['Networks'].values()))['IPAddress']}:{port}"
        for one, port in ((postgres, 5432), (redis, 6379))
    ]
    assert scan(staging, edge, places) == set()


def test_the_host_publishes_the_documented_ports_and_no_other(staging: Deployment) -> None:
    outputs = staging.outputs()
    documented = {int(outputs[name].rpartition(":")[2]) for name in DOCUMENTED}
    published = {
        (binding["HostIp"], int(binding["HostPort"]))
        for container in running(staging)
        for bindings in container.attrs["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }
    assert published == {("127.0.0.1", port) for port in documented}


def test_redis_lets_the_service_do_what_it_needs_and_no_more(staging: Deployment) -> None:
    (replica,), (redis,) = staging.containers("service-1"), staging.containers("redis")
    password = replica.exec_run(["cat", "/run/secrets/redis_password"]).output.decode()

    def ask(*words: str) -> str:
        command = ["redis-cli", "--user", "janua", *words]
        return str(redis.exec_run(command, environment={"REDISCLI_AUTH": password}).output.decode().strip())

    assert ask("PING") == "PONG"
    for refused in (["FLUSHALL"], ["CONFIG", "GET", "*"], ["KEYS", "*"], ["ACL", "LIST"], ["SHUTDOWN"]):
        assert ask(*refused).startswith("NOPERM"), refused


def test_the_edge_adds_the_headers_that_browsers_need(staging: Deployment) -> None:
    with staging.api() as api:
        for path in ("/livez", "/api/v1/auth/me", "/metrics"):
            headers = api.get(path).headers
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["X-Frame-Options"] == "DENY", path
            assert headers["Referrer-Policy"] == "no-referrer", path
            assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'", path
            assert headers["Cache-Control"] == "no-store", path
            assert "Server" not in headers, path
        assert "Content-Security-Policy" not in api.get("/docs").headers
        assert "max-age" in api.get("/.well-known/jwks.json").headers["Cache-Control"]
