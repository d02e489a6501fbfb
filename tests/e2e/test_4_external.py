"""A second stack beside the first, with TLS, on a PostgreSQL and a Redis that others run."""

import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from redis import Redis

from infra.waiting import until_it_answers
from tests.e2e.deployment import Deployment
from tests.servers import container, gateway

PASSWORD = secrets.token_urlsafe(16)
ACCOUNT = {"email": "ada@example.com", "password": "a long enough phrase"}


@dataclass(frozen=True)
class Servers:
    """Where the servers are: an address of this machine that containers of every network reach."""

    host: str
    postgres: int
    redis: int

    def connect(self, user: str = "boss", database: str = "janua") -> psycopg.Connection[tuple[object, ...]]:
        """Connect to the database `janua` as its owner, who is no superuser, or as others."""
        return psycopg.connect(
            host=self.host, port=self.postgres, user=user, password=PASSWORD, dbname=database, autocommit=True
        )

    def cached(self) -> int:
        """Return how many entries Redis has."""
        with closing(Redis(host=self.host, port=self.redis, password=PASSWORD)) as client:
            return int(client.dbsize())


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """A PostgreSQL and a Redis that know nothing of any stack."""
    host = gateway()
    environment = {"POSTGRES_PASSWORD": PASSWORD}
    arguments = ["redis-server", "--requirepass", PASSWORD, "--save", "", "--appendonly", "no"]
    with (
        container("postgres", 5432, address=host, environment=environment) as (_, postgres),
        container("redis", 6379, address=host, command=arguments) as (_, redis),
    ):
        made = Servers(host, postgres, redis)
        until_it_answers(lambda: made.connect("postgres", "postgres").close(), (psycopg.OperationalError,))
        with made.connect("postgres", "postgres") as administrator:
            administrator.execute(f"CREATE ROLE boss LOGIN CREATEDB CREATEROLE PASSWORD '{PASSWORD}'")
            administrator.execute("GRANT pg_monitor TO boss WITH ADMIN OPTION")
            administrator.execute("CREATE DATABASE janua OWNER boss")
        # An extension that its owner may not make.
        with made.connect("postgres") as administrator:
            administrator.execute("CREATE EXTENSION pg_stat_statements")
        yield made


@pytest.fixture(scope="module")
def external(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack on these servers."""
    deployment = Deployment.create(tmp_path_factory.mktemp("external") / "clone", smokeDuration="5s", tls="on")
    place = {"host": servers.host, "password": PASSWORD, "tls": False}
    for key, value in {
        "externalDatabase": {**place, "port": servers.postgres, "user": "boss"},
        "externalRedis": {**place, "port": servers.redis},
    }.items():
        deployment.pulumi(f"config set --secret janua:{key} '{json.dumps(value)}'").check_returncode()
    try:
        up = deployment.shell("make up")
        assert up.returncode == 0, up.stdout
        yield deployment
    finally:
        deployment.remove()


def test_the_same_program_serves_from_them(external: Deployment, servers: Servers) -> None:
    assert external.containers("postgres") + external.containers("redis") == []
    with external.api() as api:
        assert api.post("/api/v1/auth/signup", json=ACCOUNT).status_code == 201
        token = api.post("/api/v1/auth/login", json=ACCOUNT).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert [api.get("/api/v1/auth/validate", headers=bearer).status_code for _ in range(3)] == [200] * 3
    with servers.connect() as owner:
        found = owner.execute("SELECT count(*) FROM users WHERE email = %s", [ACCOUNT["email"]]).fetchone()
        connected = owner.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity WHERE usename LIKE 'janua%'"
        ).fetchall()
    assert found == (1,)
    assert ("janua_app",) in connected
    assert servers.cached() > 0


def test_its_edge_speaks_tls_which_the_load_suite_can(external: Deployment) -> None:
    assert external.api_url.startswith("https://127.0.0.1:")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(external.api_url)
    load = external.shell("make load TYPE=smoke DURATION=5s")
    assert load.returncode == 0, load.stdout


def test_it_is_well_and_changes_nothing_by_itself(external: Deployment) -> None:
    status = external.shell("make status")
    assert status.returncode == 0, status.stdout
    assert external.pulumi("preview --expect-no-changes").returncode == 0


def test_it_is_backed_up_and_restored_like_the_stack_s_own(external: Deployment, servers: Servers) -> None:
    made = external.shell("make backup")
    assert made.returncode == 0, made.stdout
    file: Path = max((external.folder / "backups").glob("*.dump"))
    with servers.connect() as owner:
        owner.execute("DELETE FROM sessions")
        owner.execute("DELETE FROM users WHERE email = %s", [ACCOUNT["email"]])
    restored = external.shell(f"make restore FILE={file.name}")
    assert restored.returncode == 0, restored.stdout
    with external.api() as api:
        assert api.post("/api/v1/auth/login", json=ACCOUNT).status_code == 200


def test_taking_it_down_leaves_the_servers_and_the_other_stack_alone(
    external: Deployment, servers: Servers, staging: Deployment
) -> None:
    down = external.shell("make down")
    assert down.returncode == 0, down.stdout
    assert external.leftovers() == []
    with servers.connect() as owner:
        assert owner.execute("SELECT count(*) FROM users WHERE email = %s", [ACCOUNT["email"]]).fetchone() == (1,)
    assert staging.shell("make status").returncode == 0
    with staging.api() as api:
        assert api.get("/readyz").status_code == 200
