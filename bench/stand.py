"""The test stand: one PostgreSQL and one Redis, as a stack has them, with everything's users in them."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from redis import Redis

from bench.engine import ADDRESS, Engine, Part, Running, free_port
from bench.images import server_image
from bench.seed import seed_fastapi_users
from infra.images.table import ROOT
from infra.tiers.database import SETTINGS
from infra.waiting import until_it_answers
from loadtest.population.seed import hash_password, seed
from loadtest.population.users import Population

SECRETS = "/run/secrets"
_PASSWORDS = ("database_password", "database_app_password", "database_exporter_password", "redis_password")
START_SECONDS = 60
USERS = 100_000
USER_PASSWORD = "user_password"  # noqa: S105 - a file's name
# Far more than the parts store: what is measured is not a Redis that has to make room.
_REDIS_MB = 1024
OTHERS = "fastapi_users"
"""The database of fastapi-users, beside the service's, which is called `janua`."""


@dataclass(frozen=True)
class Stand:
    """The servers. `folder` holds the secrets' files, which every container finds in /run/secrets."""

    engine: Engine
    folder: Path
    postgres: Running
    redis: Running
    population: Population
    password_hash: str

    def connect(self, database: str = "janua") -> psycopg.Connection[tuple[object, ...]]:
        """A connection as the superuser, whom row level security does not bind."""
        return connect(self.postgres, self.folder, database)

    def redis_client(self, number: int = 0, port: int | None = None) -> Redis:
        """A client of a database of the stand's Redis, or of one on another port."""
        password = (self.folder / "redis_password").read_text()
        return Redis(ADDRESS, port or self.redis.port, number, password)

    def redis_memory_mb(self) -> float:
        """What Redis holds now."""
        with closing(self.redis_client()) as client:
            return float(client.info("memory")["used_memory"]) / 1e6

    def forget_copies(self) -> None:
        """Empty the service's cache in Redis, so that a part finds nothing of what another has left there."""
        with closing(self.redis_client()) as client:
            client.flushdb()

    def start_redis(self, name: str) -> Running:
        """Start one more Redis, for whoever wants to break it."""
        return _start_redis(self.engine, name, self.folder)


@contextmanager
def stand(engine: Engine, say: Callable[[str], None]) -> Iterator[Stand]:
    """Start the servers, and give them a schema and users."""
    with tempfile.TemporaryDirectory(prefix="janua-bench-") as scratch:
        # Only its owner gets at what is below `scratch`; inside a container everybody does.
        folder = Path(scratch) / "secrets"
        folder.mkdir()
        write_secrets(folder)
        say(f"run {engine.run}: starting PostgreSQL and Redis")
        population = Population(secrets.token_hex(8), USERS)
        (folder / USER_PASSWORD).write_text(population.password)
        yield Stand(
            engine,
            folder,
            start_postgres(engine, folder),
            _start_redis(engine, "redis", folder),
            population,
            hash_password(population),
        )


def prepare(stand: Stand, release: str, make_tables: Callable[[], str], say: Callable[[str], None]) -> None:
    """Migrate the service's database, and fill both."""
    migrate(stand.engine, stand.postgres, stand.folder, release)
    with stand.connect() as connection:
        connection.execute(f"CREATE DATABASE {OTHERS} OWNER janua_app")
    make_tables()
    say(f"writing {stand.population.count:,} users and their sessions, and the same for fastapi-users")
    with stand.connect() as connection:
        seed(connection, stand.population, events_per_user=0)
    with stand.connect(OTHERS) as connection, closing(stand.redis_client(number=1)) as tokens:
        seed_fastapi_users(connection, tokens, stand.population, stand.password_hash)


def connect(postgres: Running, folder: Path, database: str = "janua") -> psycopg.Connection[tuple[object, ...]]:
    """A superuser's connection, with autocommit, to a server with the secrets of a folder."""
    password = (folder / "database_password").read_text()
    return psycopg.connect(
        host=ADDRESS, port=postgres.port, user="janua", password=password, dbname=database, autocommit=True
    )


def migrate(engine: Engine, postgres: Running, folder: Path, release: str) -> None:
    """Bring a server's schema to that of a release, once it answers."""
    until_it_answers(lambda: connect(postgres, folder).close(), (psycopg.OperationalError,), START_SECONDS)
    environment = {
        "JANUA_DATABASE_URL": f"postgresql://janua@{ADDRESS}:{postgres.port}/janua",
        "JANUA_DATABASE_PASSWORD_FILE": f"{SECRETS}/database_password",
    }
    engine.call("migrate", Part(release, ["alembic", "upgrade", "head"], environment, {folder: SECRETS}))


def write_secrets(folder: Path) -> None:
    """Generate what the servers' passwords are into files of a folder."""
    for name in _PASSWORDS:
        (folder / name).write_text(secrets.token_hex(16))
    (folder / "signing_secret").write_text(secrets.token_urlsafe(32))
    password = (folder / "redis_password").read_text()
    lines = [f"requirepass {password}", 'save ""', "appendonly no", "maxmemory-policy volatile-ttl"]
    (folder / "redis.conf").write_text("\n".join([*lines, f"maxmemory {_REDIS_MB}mb", f"bind {ADDRESS}", ""]))


def start_postgres(engine: Engine, folder: Path) -> Running:
    """Start a PostgreSQL with the settings of a stack and the secrets of a folder."""
    port = free_port()
    settings = {**SETTINGS, "port": port, "listen_addresses": ADDRESS}
    part = Part(
        server_image("postgres"),
        ["postgres", *(word for key, value in settings.items() for word in ("-c", f"{key}={value}"))],
        {"POSTGRES_USER": "janua", "POSTGRES_DB": "janua", "POSTGRES_PASSWORD_FILE": f"{SECRETS}/database_password"},
        {folder: SECRETS, ROOT / "infra/jobs/roles.sh": "/docker-entrypoint-initdb.d/10-roles.sh"},
        memory_mb=1024,
    )
    return engine.start("postgres", part, port)


def _start_redis(engine: Engine, name: str, folder: Path) -> Running:
    port = free_port()
    command = ["redis-server", f"{SECRETS}/redis.conf", "--port", str(port)]
    part = Part(server_image("redis"), command, mounts={folder: SECRETS}, memory_mb=_REDIS_MB * 3 // 2)
    return engine.start(name, part, port)
