"""Writes a population past the service, with COPY: as many sign-ups would be hours of hashing.

The same seed gives the same rows, in however many steps the population grows; only when the sessions expire depends
on the day.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from argon2 import PasswordHasher

from loadtest.population.users import Population, tenant_id, tenant_slug
from service.audit.events import AuditEvent
from service.settings import Settings
from service.tokens.opaque import fingerprint

Connection = psycopg.Connection[tuple[object, ...]]
Say = Callable[[str], None]
BATCH = 20_000
EVENTS_PER_USER = 3
# Each user signed up a second after the one before, and does something every few hours since.
_FIRST_SIGNUP = datetime(2025, 1, 1, tzinfo=UTC)
_BETWEEN_EVENTS = timedelta(hours=7)
_SESSION_LIFETIME = timedelta(days=30)
_REFRESH_LIFETIME = timedelta(days=60)
_EVENTS = (AuditEvent.LOGIN_SUCCESS, AuditEvent.LOGOUT)
# Every so many users have failed to log in, and have changed their password: rare, as in life.
_RARE = ((1009, AuditEvent.PASSWORD_CHANGED), (101, AuditEvent.LOGIN_FAILURE))


def hash_password(population: Population) -> str:
    """Return the hash of the population's password with the parameters that the service has by default."""
    settings = Settings()
    hasher = PasswordHasher(settings.hash_time_cost, settings.hash_memory_kib, settings.hash_parallelism)
    return hasher.hash(population.password, salt=population.salt)


def count_users(connection: Connection, population: Population) -> int:
    """Return how many users of a population, as numerous as it may be, the database holds."""
    row = connection.execute(
        "SELECT count(*) FROM users WHERE id >= %s AND id < %s AND email LIKE '%%@load.example.com'",
        (population.user_id(0), population.session_id(0)),
    ).fetchone()
    return int(str(row[0])) if row else 0


def seed(
    connection: Connection,
    population: Population,
    say: Say = lambda _: None,
    *,
    events_per_user: int = EVENTS_PER_USER,
    batch: int = BATCH,
) -> int:
    """Write the users that are missing, with a role, a session and events of the audit trail for each.

    `connection` is a superuser's, whom row level security does not bind, with autocommit. All of it becomes visible
    at once. Returns how many users were written; none, if there are as many or more.
    """
    first = count_users(connection, population)
    if first >= population.count:
        return 0
    with connection.transaction():
        tenants = _Tenants.prepared(connection, population)
        writer = _Writer(connection, population, tenants, hash_password(population), events_per_user)
        for start in range(first, population.count, batch):
            end = min(start + batch, population.count)
            writer.write(range(start, end))
            say(f"{end:,} of {population.count:,} users, {end * events_per_user:,} rows of the audit trail")
    say("vacuum and analyze")
    connection.execute("VACUUM (ANALYZE) users, user_roles, sessions, audit_logs")
    return population.count - first


@dataclass(frozen=True)
class _Tenants:
    """The ids of the population's tenants by their number."""

    ids: tuple[str, ...]

    @classmethod
    def prepared(cls, connection: Connection, population: Population) -> "_Tenants":
        """Write the tenants that are missing."""
        numbers = range(1, population.tenants)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO tenants (id, slug, name, created_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [(tenant_id(n), tenant_slug(n), f"Load test {n}", _FIRST_SIGNUP) for n in numbers],
            )
        row = connection.execute("SELECT id FROM tenants WHERE slug = %s", (tenant_slug(0),)).fetchone()
        if row is None:
            raise LookupError(f"there is no tenant {tenant_slug(0)}: the migrations have not run")
        return cls((str(row[0]), *(str(tenant_id(n)) for n in numbers)))

    def of(self, number: int) -> str:
        """Return the id of a user's tenant."""
        return self.ids[number % len(self.ids)]


@dataclass(frozen=True)
class _Writer:
    """Copies the rows of some users into their tables, as lines of PostgreSQL's text format."""

    connection: Connection
    population: Population
    tenants: _Tenants
    password_hash: str
    events_per_user: int

    def write(self, numbers: range) -> None:
        """Write everything of these users."""
        self._copy("users (id, tenant_id, email, name, password_hash, created_at, updated_at)", self._users(numbers))
        self._copy("user_roles (user_id, tenant_id, role_name)", self._roles(numbers))
        self._copy(
            "sessions (id, tenant_id, user_id, token, refresh_token, is_active, created_at, expires_at,"
            " refresh_expires_at)",
            self._sessions(numbers),
        )
        self._copy("audit_logs (id, tenant_id, user_id, event_type, created_at, details)", self._audit(numbers))

    def _copy(self, table: str, lines: Iterable[str]) -> None:
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            copy.write("".join(lines))

    def _users(self, numbers: range) -> Iterator[str]:
        for n in numbers:
            at = _signed_up(n)
            yield (
                f"{self.population.user_id(n)}\t{self.tenants.of(n)}\t{self.population.email(n)}\tUser {n}\t"
                f"{self.password_hash}\t{at}\t{at}\n"
            )

    def _roles(self, numbers: range) -> Iterator[str]:
        for n in numbers:
            yield f"{self.population.user_id(n)}\t{self.tenants.of(n)}\tmember\n"

    def _sessions(self, numbers: range) -> Iterator[str]:
        now = datetime.now(UTC)
        ends = f"{now + _SESSION_LIFETIME}\t{now + _REFRESH_LIFETIME}"
        for n in numbers:
            token, refresh = fingerprint(self.population.token(n)), fingerprint(self.population.refresh_token(n))
            yield (
                f"{self.population.session_id(n)}\t{self.tenants.of(n)}\t{self.population.user_id(n)}\t"
                f"{token}\t{refresh}\tt\t{_signed_up(n)}\t{ends}\n"
            )

    def _audit(self, numbers: range) -> Iterator[str]:
        # One event of every user, then the next of every user: those of one do not lie side by side.
        for event in range(self.events_per_user):
            for n in numbers:
                event_id = self.population.event_id(n * self.events_per_user + event)
                at = _signed_up(n) + event * _BETWEEN_EVENTS
                yield (
                    f"{event_id}\t{self.tenants.of(n)}\t{self.population.user_id(n)}\t{_kind(n, event)}\t{at}\t{{}}\n"
                )


def _signed_up(number: int) -> datetime:
    return _FIRST_SIGNUP + timedelta(seconds=number)


def _kind(number: int, event: int) -> AuditEvent:
    """Return what kind of event a user's event of that number is."""
    if event == 0:
        return AuditEvent.SIGNUP
    for every, kind in _RARE:
        if (number + event) % every == 0:
            return kind
    return _EVENTS[(number + event) % len(_EVENTS)]
