"""The programs that are measured, each in a container of the release image, behind the same server."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from bench.engine import ADDRESS, Part, Running, free_port
from bench.images import server_image
from bench.stand import OTHERS, SECRETS, START_SECONDS, USER_PASSWORD, Stand
from infra.images.table import ROOT
from infra.jobs.promote import BACKEND, backend
from infra.tiers.edge import FOLDER as EDGE_FOLDER
from infra.tiers.edge import edge_files
from infra.tiers.tracing import ENVIRONMENT, MEMORY_MB
from infra.waiting import until_it_answers

_BESIDE = "/opt/bench"
_PACKAGES = "/opt/packages"


@dataclass(frozen=True)
class Programs:
    """Starts them on a stand. `release` is the image, `packages` the folder with what the comparisons need."""

    stand: Stand
    release: str
    packages: Path

    def service(self, name: str, settings: Mapping[str, str] | None = None, redis_port: int | None = None) -> Running:
        """A replica of the service with the settings of a stack, and others by their names without `JANUA_`."""
        port = free_port()
        environment = self._environment(port, "janua", 0) | {"JANUA_RELEASE": "bench"}
        if redis_port is not None:
            environment["JANUA_REDIS_URL"] = f"redis://{ADDRESS}:{redis_port}/0"
        environment |= {f"JANUA_{key.upper()}": value for key, value in (settings or {}).items()}
        part = Part(self.release, environment=environment, mounts={self.stand.folder: SECRETS})
        return self._ready(name, part, port, "/readyz")

    def bare(self) -> Running:
        """A route of Starlette's that does nothing."""
        port = free_port()
        part = self._beside(["bench.subjects.serve", "bench.subjects.bare"], self._environment(port, "janua", 0))
        return self._ready("bare", part, port, "/api/v1/auth/validate")

    def fastapi_users(self) -> Running:
        """fastapi-users with its strategies for Redis and the database."""
        port = free_port()
        part = self._with_packages(["bench.subjects.serve", "bench.subjects.users"], port)
        return self._ready("fastapi-users", part, port, "/openapi.json")

    def make_tables(self) -> str:
        """Make the tables of fastapi-users."""
        return self.stand.engine.call("tables", self._with_packages(["bench.subjects.users"], 1))

    def hashing(self, seconds: float, threads: int, library: str) -> str:
        """Verify the users' password for so long; what bench/subjects/hashing.py prints."""
        file = f"{SECRETS}/{USER_PASSWORD}"
        arguments = ["bench.subjects.hashing", str(seconds), str(threads), library, self.stand.password_hash, file]
        return self.stand.engine.call("hashing", self._beside(arguments, {}))

    def edge(self, replicas: Sequence[Running]) -> Running:
        """HAProxy in front of some replicas, with the configuration of a stack except for where it listens."""
        port = free_port()
        folder = Path(tempfile.mkdtemp(dir=self.stand.folder.parent))
        folder.chmod(0o755)
        listens = {"bind :8080": f"bind {ADDRESS}:{port}", "bind :8404": f"bind {ADDRESS}:{free_port()}"}
        for path, content in edge_files().items():
            (folder / Path(path).name).write_text(_replaced(content, listens))
        servers = folder / BACKEND.name
        servers.write_text(backend([f"{ADDRESS}:{replica.port}" for replica in replicas]))
        command = ["haproxy", "-W", "-db", "-f", f"{EDGE_FOLDER}/haproxy.cfg", "-f", f"{EDGE_FOLDER}/{servers.name}"]
        part = Part(server_image("haproxy"), command, mounts={folder: EDGE_FOLDER}, memory_mb=256, user="99:99")
        return self._ready("edge", part, port, "/livez")

    def zipkin(self) -> Running:
        """A Zipkin that takes traces, with the settings of a stack."""
        port = free_port()
        listens = {
            "ARMERIA_PORTS_0_IP": ADDRESS,
            "ARMERIA_PORTS_0_PORT": str(port),
            "ARMERIA_PORTS_0_PROTOCOLS_0": "http",
        }
        part = Part(server_image("zipkin"), environment={**ENVIRONMENT, **listens}, memory_mb=MEMORY_MB)
        return self._ready("zipkin", part, port, "/health")

    def _with_packages(self, arguments: list[str], port: int) -> Part:
        return self._beside(arguments, self._environment(port, OTHERS, 1), {self.packages: _PACKAGES})

    def _beside(self, arguments: list[str], environment: dict[str, str], mounts: dict[Path, str] | None = None) -> Part:
        """A module of bench/ in the release image. As this process's user, who can read the checkout."""
        return Part(
            self.release,
            ["python", "-m", *arguments],
            {**environment, "PYTHONPATH": f"{_PACKAGES}:{_BESIDE}:/app"},
            {self.stand.folder: SECRETS, ROOT / "bench": f"{_BESIDE}/bench", **(mounts or {})},
            user=f"{os.getuid()}:{os.getgid()}",
        )

    def _environment(self, port: int, database: str, redis_number: int) -> dict[str, str]:
        return {
            "JANUA_HOST": ADDRESS,
            "JANUA_PORT": str(port),
            "JANUA_DATABASE_URL": f"postgresql://janua_app@{ADDRESS}:{self.stand.postgres.port}/{database}",
            "JANUA_DATABASE_PASSWORD_FILE": f"{SECRETS}/database_app_password",
            "JANUA_REDIS_URL": f"redis://{ADDRESS}:{self.stand.redis.port}/{redis_number}",
            "JANUA_REDIS_PASSWORD_FILE": f"{SECRETS}/redis_password",
            "JANUA_SIGNING_SECRET_FILE": f"{SECRETS}/signing_secret",
        }

    def _ready(self, name: str, part: Part, port: int, path: str) -> Running:
        running = self.stand.engine.start(name, part, port)
        until_it_answers(partial(_require_ok, running, path), (httpx.HTTPError,), START_SECONDS)
        return running


def _replaced(text: str, replacements: Mapping[str, str]) -> str:
    for before, after in replacements.items():
        text = text.replace(before, after)
    return text


def _require_ok(running: Running, path: str) -> None:
    running.container.reload()
    if running.container.status != "running":
        raise RuntimeError(f"{running.container.name} has ended:\n{running.log()}")
    httpx.get(f"http://{ADDRESS}:{running.port}{path}").raise_for_status()
