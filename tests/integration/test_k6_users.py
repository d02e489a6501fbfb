"""k6 as the users of a population, against the real service on PostgreSQL."""

import asyncio

import pytest
import uvicorn

from loadtest.population.seed import seed
from loadtest.population.users import Population
from service.app import create_app
from tests.harness import eventually
from tests.servers import Database
from tests.unit.loadtest.k6_suite import ROOT, k6

pytestmark = pytest.mark.integration

JOURNEY = {"signup": 1, "login": 1, "validate": 10}


async def test_seeded_users_are_who_k6_takes_them_for(migrated: Database) -> None:
    population = Population("a seed", 40, tenants=3)
    with migrated.connect("postgres") as connection:
        seed(connection, population)
    server = uvicorn.Server(
        uvicorn.Config(create_app(migrated.settings()), host="127.0.0.1", port=0, log_level="error")
    )
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    (port,) = (socket.getsockname()[1] for listener in server.servers for socket in listener.sockets)
    variables = {
        "BASE_URL": f"http://127.0.0.1:{port}",
        "POPULATION_SEED": population.seed,
        "POPULATION_COUNT": str(population.count),
        "POPULATION_TENANTS": str(population.tenants),
    }
    try:
        _, output, summary = await asyncio.to_thread(k6, ROOT / "loadtest", **variables)
    finally:
        server.should_exit = True
        await serving
    assert summary["error_rate"] == 0, output
    assert summary["api_requests"] == sum(JOURNEY.values()) * summary["iterations"] > 0
