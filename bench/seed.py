"""Writes the population as fastapi-users keeps it, past the program."""

from collections.abc import Iterable
from datetime import UTC, datetime

from redis import Redis

from loadtest.population.seed import Connection
from loadtest.population.users import Population

_BATCH = 5000


def seed_fastapi_users(connection: Connection, tokens: Redis, population: Population, password_hash: str) -> None:
    """Write the users with the same tokens as the service's, into the database and into Redis."""
    now = datetime.now(UTC)
    numbers = range(population.count)
    ids = [population.user_id(number) for number in numbers]
    flags = True, False, True
    columns = "id, email, hashed_password, is_active, is_superuser, is_verified"
    _copy(
        connection,
        f'"user" ({columns})',
        ((ids[n], population.email(n), password_hash, *flags) for n in numbers),
    )
    _copy(
        connection,
        "accesstoken (token, user_id, created_at)",
        ((population.token(n), ids[n], now) for n in numbers),
    )
    connection.execute("VACUUM (ANALYZE)")
    for first in range(0, population.count, _BATCH):
        batch = numbers[first : first + _BATCH]
        tokens.mset({f"fastapi_users_token:{population.token(n)}": str(ids[n]) for n in batch})


def _copy(connection: Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
