"""What a request costs: its queries, and how often it waits for PostgreSQL, counted on the wire."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from service.tokens.opaque import fingerprint
from tests.harness import PASSWORD, Api, bearer, new_email, running
from tests.servers import Database, Redis

pytestmark = pytest.mark.integration

_SSL_REQUEST = 80877103
_WAITS = (b"S", b"Q")  # Sync and Query: what the server answers with ReadyForQuery, and the client waits for


@dataclass
class WireCounter:
    """A proxy that counts the messages after which a client waits (PostgreSQL's protocol, "Message Formats")."""

    port: int
    waits: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.port)
        back = asyncio.create_task(_copy(upstream_reader, writer))
        self._tasks.add(back)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await self._forward(reader, upstream_writer)
        upstream_writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        started = False
        while True:
            kind = await reader.readexactly(1) if started else b""
            head = await reader.readexactly(4)
            body = await reader.readexactly(struct.unpack("!I", head)[0] - 4)
            self.waits += kind in _WAITS and started
            # Before the start-up message there is only the question whether TLS is spoken, answered with one byte.
            started = started or struct.unpack("!I", body[:4])[0] != _SSL_REQUEST
            writer.write(kind + head + body)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
    writer.close()


@asynccontextmanager
async def counting(database: Database) -> AsyncIterator[tuple[WireCounter, int]]:
    counter = WireCounter(database.server.port)
    server = await asyncio.start_server(counter.serve, "127.0.0.1", 0)
    async with server:
        yield counter, server.sockets[0].getsockname()[1]


@dataclass(frozen=True)
class Cost:
    """Of one request: statements, and round trips by the service's own count."""

    queries: int
    round_trips: int


@dataclass
class Meter:
    """Sends requests and notes what each cost, by the service's account and by the wire's."""

    api: Api
    counter: WireCounter

    async def measure(
        self, method: str, path: str, token: str | None = None, **options: object
    ) -> tuple[httpx.Response, Cost]:
        before, waits = self._round_trips(), self.counter.waits
        headers = bearer(token) if token else {}
        answer = await self.api.client.request(method, f"/api/v1{path}", headers=headers, **options)  # type: ignore[arg-type]
        cost = Cost(int(answer.headers["x-db-queries"]), self._round_trips() - before)
        assert self.counter.waits - waits == cost.round_trips, f"{method} {path}: the wire saw something else"
        return answer, cost

    def _round_trips(self) -> int:
        collected = self.api.app.state.metrics.registry.collect()
        samples = [sample for metric in collected for sample in metric.samples]
        return int(sum(sample.value for sample in samples if sample.name == "janua_db_round_trips_total"))


@pytest.fixture
async def meter(migrated: Database, redis: Redis) -> AsyncIterator[Meter]:
    async with counting(migrated) as (counter, port):
        # No background reading of the generation in between, which is no request's.
        settings = migrated.settings(**redis.settings, cache_lease_seconds=600, database_pool_size=1)
        url = settings.database_url.replace(str(migrated.server.port), str(port))
        async with running(settings.model_copy(update={"database_url": url})) as api:
            await api.new_token()  # each statement is prepared once, in the same round trip
            yield Meter(api, counter)


async def test_the_budget_of_the_hot_routes(meter: Meter) -> None:
    email, cache = new_email(), meter.api.app.state.cache
    account = {"email": email, "password": PASSWORD}
    costs: dict[str, Cost] = {}
    _, costs["signup"] = await meter.measure("POST", "/auth/signup", json=account)
    _, costs["signup, taken"] = await meter.measure("POST", "/auth/signup", json=account)
    answer, costs["login"] = await meter.measure("POST", "/auth/login", json=account)
    token, refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]
    wrong = account | {"password": "a wrong password"}
    _, costs["login, wrong"] = await meter.measure("POST", "/auth/login", json=wrong)
    _, costs["login, unknown"] = await meter.measure("POST", "/auth/login", json=account | {"email": new_email()})
    for name in ("validate", "me"):
        _, costs[f"{name}, warm"] = await meter.measure("GET", f"/auth/{name}", token)
        await cache.drop_token(fingerprint(token))
        _, costs[f"{name}, cold"] = await meter.measure("GET", f"/auth/{name}", token)
    answer, costs["refresh"] = await meter.measure("POST", "/auth/refresh", json={"refresh_token": refresh_token})
    token = answer.json()["access_token"]
    _, costs["validate, after refresh"] = await meter.measure("GET", "/auth/validate", token)
    _, costs["sessions"] = await meter.measure("GET", "/auth/sessions", token)
    _, costs["logout"] = await meter.measure("POST", "/auth/logout", token)
    _, costs["validate, ended"] = await meter.measure("GET", "/auth/validate", token)
    assert costs == {
        "signup": Cost(1, 1),
        "signup, taken": Cost(1, 1),
        "login": Cost(2, 2),
        "login, wrong": Cost(2, 2),
        "login, unknown": Cost(2, 2),
        "validate, warm": Cost(0, 0),
        "validate, cold": Cost(1, 1),
        "me, warm": Cost(0, 0),
        "me, cold": Cost(1, 1),
        "refresh": Cost(2, 2),
        "validate, after refresh": Cost(1, 1),
        "sessions": Cost(1, 1),
        "logout": Cost(1, 1),
        "validate, ended": Cost(1, 1),
    }


async def test_a_transaction_costs_its_statements_and_a_commit(meter: Meter) -> None:
    person = await meter.api.new_person()
    body = {"current_password": PASSWORD, "new_password": "a rather different passphrase"}
    _, cost = await meter.measure("POST", "/auth/password", person.token, json=body)
    # The account; the password, with BEGIN and the tenant in front; the other sessions; COMMIT.
    assert cost == Cost(3, 4)


async def test_statements_are_prepared_once_for_each_connection(migrated: Database, redis: Redis) -> None:
    async with running(migrated.settings(**redis.settings, database_pool_size=1)) as api:
        for _ in range(3):
            await api.new_token()
        query = "SELECT name, generic_plans + custom_plans FROM pg_prepared_statements WHERE strpos(statement, %s) > 0"
        async with api.database.reading() as connection:
            prepared = (await connection.exec_driver_sql(query, ("FROM janua_account",))).all()
    assert [executions for _, executions in map(tuple, prepared)] == [3]
