"""A deployment for tests: a clone of the working tree with a stack, ports and secrets of its own."""

import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import httpx

from infra.config import ROOT
from infra.containers import PART_LABEL, STACK_LABEL

PORTS = ("apiPort", "prometheusPort", "alertmanagerPort", "grafanaPort", "tracesPort")
COMMAND_SECONDS = 900
# A machine that stands still for a third of a second must not make a login a 429.
PATIENT = {"hash_deadline_seconds": 10}


def run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command without standard input; what it wrote to either stream is in `stdout`."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


@dataclass
class Deployment:
    """A clone in `folder` whose commands work on the stack `stack`."""

    folder: Path
    stack: str

    @classmethod
    def create(cls, folder: Path, **settings: str) -> "Deployment":
        """Clone the working tree into `folder`, set it up and configure free ports and `settings`."""
        clone(folder)
        made = cls(folder, f"e2e-{secrets.token_hex(3)}")
        made.shell("make setup").check_returncode()
        free = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        backups = {"backupDirectory": str(folder / "backups")}
        for key, value in {**free, **backups, **settings}.items():
            made.configure(key, value)
        made.configure_service()
        return made

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run lines as somebody types them into a shell in the clone."""
        environment = {**os.environ, "STACK": self.stack}
        return run(["bash", "-euo", "pipefail", "-c", script], self.folder, environment)

    def pulumi(self, arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the plain Pulumi CLI in the project's environment."""
        return self.shell(f"source .janua/env && pulumi --non-interactive --color never {arguments}")

    def configure(self, key: str, value: str) -> None:
        """Set a plain value of the stack's configuration."""
        self.pulumi(f"config set janua:{key} '{value}'").check_returncode()

    def configure_service(self, **settings: int) -> None:
        """Set the service's own settings, to these and patience."""
        self.configure("service", json.dumps({**PATIENT, **settings}))

    def outputs(self) -> dict[str, Any]:
        """Return every output of the stack, the secret ones included."""
        result = self.shell("make --silent status JSON=1 SECRETS=1")
        found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        return found

    def api(self) -> httpx.Client:
        """Return a client of the API through the edge, which trusts the stack's certificate and no other."""
        certificate = self._edge["api_certificate"]
        trusted = ssl.create_default_context(cadata=certificate) if certificate else True
        return httpx.Client(base_url=self.api_url, timeout=10, verify=trusted)

    @property
    def api_url(self) -> str:
        """The address of the API."""
        return str(self._edge["api_url"])

    @cached_property
    def _edge(self) -> dict[str, Any]:
        return self.outputs()

    def containers(self, part: str | None = None) -> list[Any]:
        """Return the stack's containers, or those of one part, stopped ones included."""
        labels = [f"{STACK_LABEL}={self.stack}", *([f"{PART_LABEL}={part}"] if part else [])]
        found: list[Any] = docker.from_env().containers.list(all=True, filters={"label": labels})
        return found

    def sql(self, statement: str) -> str:
        """Return what PostgreSQL answers to a statement of its superuser, without headings."""
        (postgres,) = self.containers("postgres")
        code, output = postgres.exec_run(["psql", "-U", "janua", "-d", "janua", "-At", "-c", statement])
        assert code == 0, output
        return str(output.decode().strip())

    def leftovers(self) -> list[str]:
        """Return the names of all containers, networks and volumes of the stack."""
        return [thing.name for thing in [*self.containers(), *self._networks_and_volumes()]]

    def remove(self) -> None:
        """Take the stack down; whatever a failed test left is removed without Pulumi."""
        self.shell("make down")
        for container in self.containers():
            container.remove(force=True, v=True)
        for thing in self._networks_and_volumes():
            thing.remove()

    def _networks_and_volumes(self) -> list[Any]:
        client = docker.from_env()
        things: list[Any] = [*client.networks.list(), *client.volumes.list()]
        return [thing for thing in things if thing.name.startswith(f"janua-{self.stack}-")]


def clone(folder: Path) -> None:
    """Copy what git tracks or would track: as a clone, with the changes that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, folder / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def free_ports(count: int) -> list[int]:
    """Return so many TCP ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
