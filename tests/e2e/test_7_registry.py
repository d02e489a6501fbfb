"""The same stack from a registry: one on 127.0.0.1 that holds the Debian-built images under the official names."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import httpx
import pytest

from infra.images.build import LABEL
from infra.images.table import base_reference, buildable, local_reference, table
from infra.setup.images import choice
from tests.e2e.deployment import Deployment, free_ports

IMAGE = "janua/test-registry"
START_SECONDS = 60


def run(*command: str) -> None:
    result = subprocess.run(["docker", *command], capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"docker {' '.join(command)}: {result.stdout}{result.stderr}"


@pytest.fixture(scope="module")
def mirror() -> Iterator[str]:
    """The address of a registry with every image that Debian carries."""
    if choice().source == "registry":
        pytest.skip("a registry answers here: every other test has taken its images from it")
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    folder = str(Path(__file__).parent / "registry")
    run("build", "--force-rm", "-t", IMAGE, "--label", f"{LABEL}=test", f"--build-arg=BASE={base_reference()}", folder)
    container = docker.from_env().containers.run(
        IMAGE, detach=True, labels={"com.janua.test": "1"}, ports={"5000/tcp": ("127.0.0.1", port)}
    )
    references = [table()[name].registry_reference(address) for name in buildable()]
    try:
        _wait(f"http://{address}/v2/")
        for name, reference in zip(buildable(), references, strict=True):
            run("tag", local_reference(name), reference)
            run("push", "--quiet", reference)
            run("rmi", reference)
        yield address
    finally:
        container.remove(force=True, v=True)
        subprocess.run(["docker", "rmi", "--force", *references], capture_output=True, check=False)


def _wait(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(address).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"no registry answers at {address}")


@pytest.fixture(scope="module")
def from_registry(mirror: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("registry") / "clone"
    deployment = Deployment.create(folder, registryMirror=mirror, smokeDuration="5s")
    try:
        # The set-up keeps to a choice that is recorded: without one it looks again, at the mirror.
        deployment.pulumi("config rm janua:images").check_returncode()
        up = deployment.shell("make up")
        assert up.returncode == 0, up.stdout
        assert "a registry answers" in up.stdout
        yield deployment
    finally:
        deployment.remove()


def test_every_image_comes_from_the_registry(from_registry: Deployment, mirror: str) -> None:
    assert "janua:images: registry" in (from_registry.folder / f"Pulumi.{from_registry.stack}.yaml").read_text()
    for part, name in {"postgres": "postgres", "edge": "haproxy", "smoke": "k6", "prometheus": "prometheus"}.items():
        (container,) = from_registry.containers(part)
        assert table()[name].registry_reference(mirror) in container.image.tags


def test_it_serves(from_registry: Deployment) -> None:
    with from_registry.api() as api:
        assert api.get("/livez").status_code == 200
    assert from_registry.outputs()["gate"]["verdict"] == "pass"


def test_grafana_that_cannot_be_pulled_is_said_aloud(from_registry: Deployment) -> None:
    assert "cannot be pulled here" in from_registry.outputs()["grafana_url"]
    assert "grafana              not deployed" in from_registry.shell("make status").stdout


def test_grafana_that_is_required_and_cannot_be_pulled_is_an_error(from_registry: Deployment) -> None:
    from_registry.configure("grafana", "required")
    result = from_registry.shell("make up")
    assert result.returncode != 0
    assert "grafana/grafana" in result.stdout
    with from_registry.api() as api:
        assert api.get("/livez").status_code == 200
