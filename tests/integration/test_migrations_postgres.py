"""The migrations on PostgreSQL: online, repeatable, verified."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from infra.waiting import until_it_answers
from migrations import verify
from service.database.indexes import PERFORMANCE_INDEXES
from service.ids import new_id
from tests.servers import Database

pytestmark = pytest.mark.integration

NAMES = [index.name for index in PERFORMANCE_INDEXES]
INDEXES = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"


def test_up_down_up_leaves_the_same_schema(database: Database, alembic: Config) -> None:
    revisions = [r.revision for r in ScriptDirectory.from_config(alembic).walk_revisions()][::-1]
    seen = {}
    for revision in revisions:
        command.upgrade(alembic, revision)
        seen[revision] = database.server.dump(database.name, "--schema-only")
    for revision in revisions[::-1]:
        assert database.server.dump(database.name, "--schema-only") == seen[revision]
        command.downgrade(alembic, "-1")
    command.upgrade(alembic, "head")
    assert database.server.dump(database.name, "--schema-only") == seen[revisions[-1]]


def test_tables_and_migrations_agree(database: Database, alembic: Config) -> None:
    command.upgrade(alembic, "head")
    command.check(alembic)
    with database.connect() as connection:
        connection.execute("DROP INDEX idx_audit_user_time")
    with pytest.raises(Exception, match="idx_audit_user_time"):
        command.check(alembic)


def test_006_adds_exactly_the_eight(database: Database, alembic: Config) -> None:
    command.upgrade(alembic, "005")
    with database.connect() as connection:
        before = set(connection.execute(INDEXES).fetchall())
        command.upgrade(alembic, "006_add_performance_indexes")
        after = connection.execute(INDEXES).fetchall()
    assert sorted(set(after) - before) == sorted((name,) for name in NAMES)


def test_006_builds_while_the_tables_are_written_to(database: Database, alembic: Config) -> None:
    """A transaction that is open makes the first index wait; whoever writes must not wait behind it."""
    command.upgrade(alembic, "005")
    with database.connect() as connection:
        _fill(connection, rows=30_000)
    with ThreadPoolExecutor(1) as pool, _writers(database) as written:
        with database.connect("janua_app") as forgetful:
            forgetful.execute("BEGIN")
            forgetful.execute("UPDATE users SET name = 'busy' WHERE email = '1@example.com'")
            building = pool.submit(command.upgrade, alembic, "006_add_performance_indexes")
            until_it_answers(lambda: _assert_index_waits(database), (AssertionError,))
            before = len(written)
            until_it_answers(lambda: _assert_more(written, before + 100), (AssertionError,))
            assert not building.done()
            forgetful.execute("COMMIT")
        building.result()
    with database.connect() as connection:
        for table in ("users", "sessions", "audit_logs"):
            query = f"SELECT count(*) FROM {table} WHERE id = ANY(%s)"  # noqa: S608 - a name of ours
            assert connection.execute(query, [written]).fetchone() == (len(written),)
    assert verify.main() == 0


def test_an_invalid_left_over_is_dropped_first(
    database: Database, alembic: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    command.upgrade(alembic, "005")
    with database.connect() as connection:
        _fill(connection, rows=10)
        # The same address in two rows: building a unique index online fails, and leaves it behind INVALID.
        connection.execute("UPDATE audit_logs SET event_type = 'same'")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY idx_audit_event_type ON audit_logs (event_type)")
        # And one that an interrupted run had finished.
        connection.execute("CREATE INDEX idx_users_email ON users (email)")
    assert verify.main() == 1
    states = {line.split()[1]: line.split()[0] for line in capsys.readouterr().out.splitlines()}
    expected = dict.fromkeys(NAMES, "missing") | {"idx_audit_event_type": "INVALID", "idx_users_email": "ok"}
    assert states == expected
    command.upgrade(alembic, "head")
    assert verify.main() == 0
    command.check(alembic)


def test_verify_needs_a_database(alembic: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JANUA_DATABASE_URL", "postgresql://janua@127.0.0.1:1/janua")
    assert verify.main() == 2


def _fill(connection: psycopg.Connection[tuple[object, ...]], rows: int) -> None:
    connection.execute(
        """
        INSERT INTO users (id, tenant_id, email, password_hash, created_at, updated_at)
        SELECT gen_random_uuid(), t.id, n || '@example.com', 'hash', now(), now()
        FROM tenants t, generate_series(1, %(rows)s) n
        """,
        {"rows": rows},
    )
    connection.execute(
        """
        INSERT INTO sessions (id, tenant_id, user_id, token, refresh_token, is_active, created_at,
                              expires_at, refresh_expires_at)
        SELECT gen_random_uuid(), tenant_id, id, md5(email), md5(email), true, now(), now(), now() FROM users
        """
    )
    connection.execute(
        """
        INSERT INTO audit_logs (id, tenant_id, user_id, event_type, created_at, details)
        SELECT gen_random_uuid(), tenant_id, id, 'signup', now(), '{}' FROM users
        """
    )


def _assert_index_waits(database: Database) -> None:
    query = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'"
    with database.server.connect(database.name, "postgres") as connection:
        assert connection.execute(query).fetchone()


def _assert_more(written: list[str], expected: int) -> None:
    assert len(written) >= expected


@contextmanager
def _writers(database: Database) -> Iterator[list[str]]:
    """Three clients that write as the application does until the block ends; none of their writes may fail."""
    written: list[str] = []
    stop = threading.Event()

    def write() -> None:
        with database.connect("janua_app") as connection:
            connection.execute("SET lock_timeout = '10s'")
            while not stop.is_set():
                identifier = str(new_id())
                _write_row(connection, identifier)
                written.append(identifier)

    with ThreadPoolExecutor(3) as pool:
        tasks = [pool.submit(write) for _ in range(3)]
        try:
            yield written
        finally:
            stop.set()
        for task in tasks:
            task.result()


def _write_row(connection: psycopg.Connection[tuple[object, ...]], identifier: str) -> None:
    values = {"id": identifier, "email": f"{identifier}@example.com"}
    with connection.transaction():
        connection.execute(
            """
            INSERT INTO users (id, tenant_id, email, password_hash, created_at, updated_at)
            SELECT %(id)s, id, %(email)s, 'hash', now(), now() FROM tenants
            """,
            values,
        )
        connection.execute(
            """
            INSERT INTO sessions (id, tenant_id, user_id, token, refresh_token, is_active, created_at,
                                  expires_at, refresh_expires_at)
            SELECT id, tenant_id, id, md5(email), md5(email), true, now(), now(), now() FROM users
            WHERE id = %(id)s
            """,
            values,
        )
        connection.execute(
            """
            INSERT INTO audit_logs (id, tenant_id, user_id, event_type, created_at, details)
            SELECT id, tenant_id, id, 'signup', now(), '{}' FROM users WHERE id = %(id)s
            """,
            values,
        )
