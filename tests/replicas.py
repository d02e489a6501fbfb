"""Replicas as they are deployed: processes of their own over one PostgreSQL and one Redis."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
from argon2 import PasswordHasher

from infra.waiting import until_it_answers
from service.ids import new_id
from service.tokens.opaque import fingerprint, new_token
from tests.servers import ROOT, Database, Redis

STOP_SECONDS = 60
# What a busy machine keeps; a test of a limit sets its own.
PATIENT = {
    "JANUA_HASH_DEADLINE_SECONDS": "60",
    "JANUA_DATABASE_TIMEOUT_SECONDS": "30",
    "JANUA_REDIS_TIMEOUT_SECONDS": "10",
    "JANUA_CACHE_LEASE_SECONDS": "60",
    "JANUA_REQUEST_TIMEOUT_SECONDS": "120",
    "JANUA_SHUTDOWN_SECONDS": "120",
}


@dataclass(frozen=True)
class Replica:
    """One process of the service."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def require_ready(self) -> None:
        """Raises httpx.HTTPError while it is not ready, AssertionError when it never will be."""
        assert self.process.poll() is None, self.log.read_text()
        httpx.get(f"{self.url}/readyz").raise_for_status()

    def exposition(self) -> str:
        """All its metrics."""
        return httpx.get(f"{self.url}/metrics", timeout=60).text

    def metric(self, name: str) -> float:
        """The sum of a metric's samples, or of those with just the labels that are given with the name."""
        samples = [line for line in self.exposition().splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        assert samples, name
        return sum(float(line.rpartition(" ")[2]) for line in samples)


@contextmanager
def replicas(
    count: int, database: Database, redis: Redis, folder: Path, **settings: str
) -> Iterator[Sequence[Replica]]:
    """So many replicas with the same settings, ready when given and gone at the end."""
    secret = folder / "signing_secret"
    secret.write_text(secrets.token_urlsafe(32))
    environment = {
        "PATH": os.environ["PATH"],
        "JANUA_DATABASE_URL": database.url("janua_app"),
        "JANUA_DATABASE_PASSWORD_FILE": str(database.server.password_file),
        "JANUA_REDIS_URL": str(redis.settings["redis_url"]),
        "JANUA_REDIS_PASSWORD_FILE": str(redis.password_file),
        "JANUA_SIGNING_SECRET_FILE": str(secret),
        **PATIENT,
        **settings,
    }
    with ExitStack() as stack:
        started = [
            stack.enter_context(_replica(environment, folder / f"replica-{number}.log")) for number in range(count)
        ]
        for replica in started:
            until_it_answers(replica.require_ready, (httpx.HTTPError,))
        yield started


@contextmanager
def _replica(environment: Mapping[str, str], log: Path) -> Iterator[Replica]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "service"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**environment, "JANUA_PORT": str(port)}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield Replica(f"http://127.0.0.1:{port}", log, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            finally:
                process.kill()


@dataclass(frozen=True)
class SeededUser:
    """A user that was written past the API: thousands of logins would be hours of hashing."""

    id: UUID
    tenant_id: UUID
    email: str


@dataclass(frozen=True)
class SeededSession:
    """A session of a seeded user, and its tokens."""

    id: UUID
    user: SeededUser
    token: str
    refresh_token: str


class Seeder:
    """Writes users and sessions as the service would, as a superuser: COPY knows no row level security."""

    def __init__(self, database: Database, password: str) -> None:
        self._database = database
        self._hash = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(password)

    def tenants(self, count: int) -> list[UUID]:
        """New tenants, `t1` to `t<count>`."""
        rows = [(new_id(), f"t{number}", f"Tenant {number}", datetime.now(UTC)) for number in range(1, count + 1)]
        with self._database.connect("postgres") as connection, connection.cursor() as cursor:
            cursor.executemany("INSERT INTO tenants (id, slug, name, created_at) VALUES (%s, %s, %s, %s)", rows)
        return [row[0] for row in rows]

    def users(self, count: int, tenant_id: UUID, role: str = "member") -> list[SeededUser]:
        """New users of a tenant with one role and the seeder's password."""
        made = [SeededUser(new_id(), tenant_id, f"{secrets.token_hex(8)}@seed.example.com") for _ in range(count)]
        now = datetime.now(UTC)
        with self._database.connect("postgres") as connection, connection.cursor() as cursor:
            with cursor.copy(
                "COPY users (id, tenant_id, email, name, password_hash, created_at, updated_at) FROM STDIN"
            ) as copy:
                for user in made:
                    copy.write_row((user.id, tenant_id, user.email, "Seeded", self._hash, now, now))
            with cursor.copy("COPY user_roles (user_id, tenant_id, role_name) FROM STDIN") as copy:
                for user in made:
                    copy.write_row((user.id, tenant_id, role))
        return made

    def sessions(self, owners: Sequence[SeededUser]) -> list[SeededSession]:
        """A new session for each of the users."""
        made = [SeededSession(new_id(), user, new_token(), new_token()) for user in owners]
        now = datetime.now(UTC)
        access, refresh = now + timedelta(hours=1), now + timedelta(days=30)
        columns = "id, tenant_id, user_id, token, refresh_token, is_active, created_at, expires_at, refresh_expires_at"
        with (
            self._database.connect("postgres") as connection,
            connection.cursor() as cursor,
            cursor.copy(f"COPY sessions ({columns}) FROM STDIN") as copy,
        ):
            for each in made:
                hashes = fingerprint(each.token), fingerprint(each.refresh_token)
                copy.write_row((each.id, each.user.tenant_id, each.user.id, *hashes, True, now, access, refresh))
        return made

    def default_tenant(self) -> UUID:
        """The id of the tenant `default`."""
        with self._database.connect() as connection:
            row = connection.execute("SELECT id FROM tenants WHERE slug = 'default'").fetchone()
        assert row is not None
        return UUID(str(row[0]))
