"""Writes the users past the programs, in seconds: their sign-ups would be an hour of hashing."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from argon2 import PasswordHasher
from redis import Redis

from bench.population import PASSWORD, Population
from service.settings import Settings
from service.tokens.opaque import fingerprint

_Connection = psycopg.Connection[tuple[object, ...]]
_BATCH = 5000


def hash_password() -> str:
    """The hash of the password that all users have, as the service makes it."""
    settings = Settings()
    return PasswordHasher(settings.hash_time_cost, settings.hash_memory_kib, settings.hash_parallelism).hash(PASSWORD)


def seed_service(connection: _Connection, population: Population, password_hash: str) -> None:
    """Write users, their roles and a session for each, as a superuser."""
    now = datetime.now(UTC)
    tenant = _default_tenant(connection)
    expiry = now + timedelta(hours=6), now + timedelta(days=30)
    numbers = range(population.count)
    ids = [population.user_id(number) for number in numbers]
    columns = "id, tenant_id, email, name, password_hash, created_at, updated_at"
    _copy(
        connection,
        f"users ({columns})",
        ((ids[n], tenant, population.email(n), f"User {n}", password_hash, now, now) for n in numbers),
    )
    _copy(connection, "user_roles (user_id, tenant_id, role_name)", ((each, tenant, "member") for each in ids))
    columns = "id, tenant_id, user_id, token, refresh_token, is_active, created_at, expires_at, refresh_expires_at"
    _copy(
        connection,
        f"sessions ({columns})",
        ((population.session_id(n), tenant, ids[n], *_hashes(population, n), True, now, *expiry) for n in numbers),
    )
    connection.execute("VACUUM (ANALYZE)")


def seed_fastapi_users(connection: _Connection, tokens: Redis, population: Population, password_hash: str) -> None:
    """Write the same users with the same tokens as fastapi-users keeps them, in the database and in Redis."""
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


def _hashes(population: Population, number: int) -> tuple[str, str]:
    return fingerprint(population.token(number)), fingerprint(population.refresh_token(number))


def _default_tenant(connection: _Connection) -> UUID:
    row = connection.execute("SELECT id FROM tenants WHERE slug = 'default'").fetchone()
    if row is None:
        raise LookupError("the migrations have made no tenant `default`")
    return UUID(str(row[0]))


def _copy(connection: _Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
