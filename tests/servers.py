"""PostgreSQL and Redis in containers of their own, gone with everything of theirs at the end."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import count
from pathlib import Path
from typing import Any, Literal, cast

import docker
import psycopg
import pytest
import redis as redis_client
from alembic import command
from alembic.config import Config
from docker.errors import NotFound
from docker.models.containers import Container
from psycopg import sql

from infra.waiting import until_it_answers
from service.settings import Settings
from tests.tools import image_reference

ROOT = Path(__file__).resolve().parents[1]
_APPLICATION_PRIVILEGES = (
    "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO janua_app"  # as roles.sh has it
)
_numbers = count(1)


LOOPBACK = "127.0.0.1"


def gateway() -> str:
    """An address of this machine that containers of every network reach."""
    # What an engine says of itself in its first life is the subnet alone; the bridge has its first address.
    subnet = docker.from_env().networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
    return str(next(ip_network(subnet).hosts()))


@contextmanager
def container(name: str, port: int, *, address: str = LOOPBACK, **options: Any) -> Iterator[tuple[Container, int]]:
    """A running container of an image of ours, and where on an address of this machine its port is."""
    client = docker.from_env()
    # A port of our own choice: one that the engine chose would be another one after a restart.
    with closing(socket.create_server((address, 0))) as free:
        host_port = free.getsockname()[1]
    started = client.containers.run(
        image_reference(name),
        detach=True,
        labels={"com.janua.test": "1"},
        ports={f"{port}/tcp": (address, host_port)},
        **options,
    )
    try:
        yield started, host_port
    finally:
        with suppress(NotFound):
            started.remove(force=True, v=True)
        client.close()


@dataclass(frozen=True)
class Postgres:
    """A server with the roles `janua`, who owns databases, and `janua_app`, who owns nothing."""

    container: Container
    port: int
    password_file: Path

    def connect(self, database: str, user: str) -> psycopg.Connection[tuple[Any, ...]]:
        password = self.password_file.read_text()
        return psycopg.connect(
            host="127.0.0.1", port=self.port, dbname=database, user=user, password=password, autocommit=True
        )

    def dump(self, database: str, what: Literal["--schema-only", "--data-only"]) -> str:
        """What pg_dump says of a database, without the nonce that it adds."""
        status, output = self.container.exec_run(["pg_dump", "-U", "postgres", what, database])
        assert isinstance(output, bytes)
        assert status == 0, output
        lines = output.decode().splitlines()
        return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))


@dataclass(frozen=True)
class Database:
    """An empty database of a test's own."""

    server: Postgres
    name: str

    def url(self, user: str) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.server.port}/{self.name}"

    def connect(self, user: str = "janua") -> psycopg.Connection[tuple[Any, ...]]:
        return self.server.connect(self.name, user)

    def settings(self, **others: Any) -> Settings:
        """Settings of the service as it connects in a deployment, with deadlines that a busy machine keeps."""
        patient = {
            "hash_deadline_seconds": 60,
            "database_timeout_seconds": 30,
            "redis_timeout_seconds": 10,
            "cache_lease_seconds": 60,
            "request_timeout_seconds": 120,
            "shutdown_seconds": 120,
        }
        return Settings(
            database_url=self.url("janua_app"),
            database_password_file=self.server.password_file,
            **(patient | others),
        )


@dataclass(frozen=True)
class Redis:
    """A server that a test may stop, pause and start again."""

    container: Container
    port: int
    password_file: Path

    @property
    def settings(self) -> dict[str, Any]:
        return {"redis_url": f"redis://127.0.0.1:{self.port}/0", "redis_password_file": self.password_file}

    def client(self) -> "redis_client.Redis":
        return redis_client.Redis(port=self.port, password=self.password_file.read_text())

    def entries(self) -> dict[str, tuple[str, int]]:
        """Every key with its value and the milliseconds that are left to it."""
        with closing(self.client()) as client:
            keys = cast("list[bytes]", client.keys())
            values = cast("list[bytes]", client.mget(keys))
            left = [client.pttl(key) for key in keys]
        return {key.decode(): (value.decode(), ms) for key, value, ms in zip(keys, values, left, strict=True)}

    def restart(self, *, with_snapshot: bool) -> None:
        """Kill it and start it again: with what its last SAVE wrote, or with nothing."""
        if not with_snapshot:
            self.container.exec_run(["rm", "-f", "/data/dump.rdb"])
        self.container.restart(timeout=0)
        self.wait()

    def wait(self) -> None:
        with closing(self.client()) as client:
            until_it_answers(client.ping, (redis_client.ConnectionError, redis_client.TimeoutError))


@pytest.fixture(scope="session")
def password_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("secrets") / "password"
    file.write_text(secrets.token_hex(16))
    return file


@pytest.fixture(scope="session")
def postgres(password_file: Path) -> Iterator[Postgres]:
    password = password_file.read_text()
    environment = {"POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": password, "POSTGRES_DB": "postgres"}
    # DROP DATABASE waits 5 s for every backend, for one too whose client was cancelled before it said who it is.
    settings = ["postgres", "-c", "fsync=off", "-c", "authentication_timeout=3s", "-c", "max_connections=200"]
    with container("postgres", 5432, command=settings, environment=environment, mem_limit="512m", shm_size="128m") as (
        running,
        port,
    ):
        server = Postgres(running, port, password_file)

        def connect() -> None:
            server.connect("postgres", "postgres").close()

        until_it_answers(connect, (psycopg.OperationalError,))
        with server.connect("postgres", "postgres") as connection:
            for role in ("janua", "janua_app"):
                name, secret = sql.Identifier(role), sql.Literal(password)
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, secret))
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """An empty database."""
    with copied_database(postgres) as made:
        with made.connect() as connection:
            connection.execute(_APPLICATION_PRIVILEGES)
        yield made


@pytest.fixture
def alembic(database: Database, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Alembic's configuration, and the environment that makes it migrate `database` as its owner."""
    return _migrating(database, monkeypatch)


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> Iterator[str]:
    """The name of a migrated database to copy: faster than migrating each anew."""
    with copied_database(postgres) as made:
        with made.connect() as connection:
            connection.execute(_APPLICATION_PRIVILEGES)
        with pytest.MonkeyPatch.context() as patch:
            command.upgrade(_migrating(made, patch), "head")
        yield made.name


@pytest.fixture
def migrated(postgres: Postgres, template: str) -> Iterator[Database]:
    """A database at the newest revision."""
    with copied_database(postgres, template) as made:
        yield made


@contextmanager
def copied_database(server: Postgres, template: str = "template1") -> Iterator[Database]:
    """A copy of the database `template`."""
    name = f"test_{next(_numbers)}"
    with server.connect("postgres", "postgres") as connection:
        statement = sql.SQL("CREATE DATABASE {} OWNER janua TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield Database(server, name)
    finally:
        with server.connect("postgres", "postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _migrating(database: Database, patch: pytest.MonkeyPatch) -> Config:
    patch.setenv("JANUA_DATABASE_URL", database.url("janua"))
    patch.setenv("JANUA_DATABASE_PASSWORD_FILE", str(database.server.password_file))
    return Config(ROOT / "alembic.ini")


@pytest.fixture(scope="session")
def shared_redis(password_file: Path) -> Iterator[Redis]:
    with redis_server(password_file) as server:
        yield server


@pytest.fixture
def redis(shared_redis: Redis) -> Redis:
    """A Redis that is empty when the test begins."""
    with closing(shared_redis.client()) as client:
        client.flushall()
    return shared_redis


@pytest.fixture
def own_redis(password_file: Path) -> Iterator[Redis]:
    """A Redis that the test may break."""
    with redis_server(password_file) as server:
        yield server


@contextmanager
def redis_server(password_file: Path) -> Iterator[Redis]:
    """A Redis that holds nothing and, unless it is told to, saves nothing."""
    arguments = ["redis-server", "--requirepass", password_file.read_text(), "--save", "", "--appendonly", "no"]
    with container("redis", 6379, command=arguments, mem_limit="128m") as (running, port):
        server = Redis(running, port, password_file)
        server.wait()
        yield server
