"""A population in the tables: the same for the same seed, in whatever steps, and fit for the service."""

import pytest

from loadtest.population.seed import count_users, seed
from loadtest.population.users import Population
from tests.harness import running
from tests.servers import Database

pytestmark = pytest.mark.integration

TABLES = "users", "user_roles", "sessions", "audit_logs"
# All that a row says but when its session ends, which depends on the day.
CONTENT = """
SELECT md5(string_agg(row_text, ',' ORDER BY row_text)) FROM (
    SELECT (to_jsonb(t) - 'expires_at' - 'refresh_expires_at')::text AS row_text FROM {table} t
) rows
"""


def digest(database: Database) -> list[object]:
    """What the tables hold, and forget it."""
    with database.connect("postgres") as connection:
        found = []
        for table in TABLES:
            row = connection.execute(CONTENT.format(table=table)).fetchone()
            assert row is not None
            found.append(row[0])
        connection.execute("TRUNCATE users, user_roles, sessions, audit_logs CASCADE")
    return found


def test_one_seed_gives_the_same_rows_in_whatever_steps(migrated: Database) -> None:
    whole, half = Population("seed", 40, tenants=3), Population("seed", 17, tenants=3)
    with migrated.connect("postgres") as connection:
        assert seed(connection, whole, batch=1000) == 40
    at_once = digest(migrated)
    with migrated.connect("postgres") as connection:
        assert [seed(connection, half), seed(connection, whole), seed(connection, whole)] == [17, 23, 0]
        assert count_users(connection, half) == 40
    assert digest(migrated) == at_once


def test_another_seed_gives_other_tokens(migrated: Database) -> None:
    with migrated.connect("postgres") as connection:
        seed(connection, Population("seed", 5))
        first = digest(migrated)
        seed(connection, Population("other", 5))
    assert digest(migrated)[2] != first[2]


def test_an_interrupted_seeding_leaves_nothing(migrated: Database) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt(line)

    population = Population("seed", 40, tenants=3)
    with migrated.connect("postgres") as connection:
        with pytest.raises(KeyboardInterrupt):
            seed(connection, population, interrupt, batch=10)
        assert count_users(connection, population) == 0
        assert connection.execute("SELECT count(*) FROM tenants").fetchone() == (1,)


async def test_the_service_knows_them(migrated: Database) -> None:
    population = Population("seed", 5, tenants=2)
    with migrated.connect("postgres") as connection:
        seed(connection, population)
    async with running(migrated.settings()) as api:
        for number in range(population.count):
            headers = {"Authorization": f"Bearer {population.token(number)}"}
            answer = await api.client.get("/api/v1/auth/validate", headers=headers)
            assert (answer.status_code, answer.json()["user_id"]) == (200, str(population.user_id(number)))
            account = {"email": population.email(number), "password": population.password}
            headers = {"X-Tenant": population.tenant(number)}
            answer = await api.client.post("/api/v1/auth/login", json=account, headers=headers)
            assert answer.status_code == 200, answer.text
