"""`make dev`: the service alone, without Docker."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.deployment import PATIENT, clone, free_ports
from tests.e2e.test_1_staging import PASSWORD

START_SECONDS = 120


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[str]:
    """The address of a service that `make dev` started in a clean clone, with Docker out of reach."""
    clone(tmp_path / "clone")
    (port,) = free_ports(1)
    patience = {f"JANUA_{name.upper()}": str(value) for name, value in PATIENT.items()}
    log = (tmp_path / "dev.log").open("w")
    process = subprocess.Popen(
        ["make", "dev"],
        cwd=tmp_path / "clone",
        env={**os.environ, "JANUA_PORT": str(port), "DOCKER_HOST": "tcp://127.0.0.1:9", **patience},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/readyz", process)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
        log.close()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("`make dev` did not become ready")


def test_the_service_runs_alone(dev: str) -> None:
    body = {"email": "dev@example.com", "password": PASSWORD}
    assert httpx.post(f"{dev}/api/v1/auth/signup", json=body).status_code == 201
    token = httpx.post(f"{dev}/api/v1/auth/login", json=body).json()["access_token"]
    valid = httpx.get(f"{dev}/api/v1/auth/validate", headers={"Authorization": f"Bearer {token}"})
    assert valid.status_code == 200
    assert httpx.get(f"{dev}/docs").status_code == 200
