"""Tenants are kept apart by the database itself: whatever a statement forgets, it sees no other tenant's rows."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from service.ids import new_id
from tests.harness import PASSWORD
from tests.replicas import Seeder
from tests.servers import Database

pytestmark = pytest.mark.integration

TABLES = (
    *("tenants", "users", "sessions", "user_roles", "audit_logs", "rotated_tokens", "login_failures"),
    *("roles", "permissions", "role_permissions"),
)
OF_TENANT = ("users", "sessions", "user_roles", "audit_logs", "rotated_tokens", "login_failures")
Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def tenants(migrated: Database) -> list[UUID]:
    """Two tenants with a row in every table each."""
    seeder = Seeder(migrated, PASSWORD)
    made = seeder.tenants(2)
    for tenant_id in made:
        [session] = seeder.sessions(seeder.users(1, tenant_id))
        with migrated.connect() as owner:
            owner.execute(
                "INSERT INTO audit_logs (id, tenant_id, user_id, event_type, created_at, details)"
                " VALUES (%s, %s, %s, 'signup', now(), '{}')",
                (new_id(), tenant_id, session.user.id),
            )
            owner.execute(
                "INSERT INTO rotated_tokens (token, access_token, tenant_id, session_id, rotated_at)"
                " VALUES (%s, 'x', %s, %s, now())",
                (new_id(), tenant_id, session.id),
            )
            owner.execute("INSERT INTO login_failures VALUES (%s, 'x', 1, now())", (tenant_id,))
    return made


@pytest.fixture
def application(migrated: Database) -> Iterator[Connection]:
    with migrated.connect("janua_app") as connection:
        yield connection


def name_tenant(connection: Connection, tenant_id: UUID) -> None:
    connection.execute("SELECT set_config('janua.tenant_id', %s, false)", (str(tenant_id),))


def count(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


def test_every_table_with_rows_of_tenants_forces_row_level_security(migrated: Database) -> None:
    with migrated.connect() as owner:
        rows = owner.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relrowsecurity AND relforcerowsecurity"
        ).fetchall()
        every = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in rows} == set(TABLES)
    # The others hold nothing of anybody: the schema's revision, and a number.
    assert {name for (name,) in every} - set(TABLES) == {"alembic_version", "cache_generation"}


@pytest.mark.usefixtures("tenants")
def test_without_a_tenant_the_application_reads_no_row(application: Connection, migrated: Database) -> None:
    with migrated.connect() as owner:
        assert all(count(owner, table) > 0 for table in TABLES)
    assert {table: count(application, table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    application.execute("SELECT set_config('janua.tenant_id', '', false)")
    assert {table: count(application, table) for table in TABLES} == dict.fromkeys(TABLES, 0)


def test_a_tenant_reads_its_own_rows_only(application: Connection, tenants: list[UUID]) -> None:
    for tenant_id in tenants:
        name_tenant(application, tenant_id)
        assert {table: count(application, table) for table in OF_TENANT} == dict.fromkeys(OF_TENANT, 1)
        for table in OF_TENANT:
            rows = application.execute(f"SELECT DISTINCT tenant_id FROM {table}").fetchall()  # noqa: S608
            assert rows == [(tenant_id,)]
        assert application.execute("SELECT id FROM tenants").fetchall() == [(tenant_id,)]


@pytest.mark.parametrize("table", ["users", "sessions", "user_roles", "rotated_tokens", "login_failures"])
def test_a_tenant_changes_its_own_rows_only(
    application: Connection, tenants: list[UUID], migrated: Database, table: str
) -> None:
    mine, other = tenants
    name_tenant(application, mine)
    changed = application.execute(f"UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = %s", (other,))  # noqa: S608
    assert changed.rowcount == 0
    assert application.execute(f"DELETE FROM {table} WHERE tenant_id = %s", (other,)).rowcount == 0  # noqa: S608
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        application.execute(f"UPDATE {table} SET tenant_id = %s", (other,))  # noqa: S608
    with migrated.connect() as owner:
        rows = owner.execute(f"SELECT count(DISTINCT tenant_id) FROM {table}").fetchone()  # noqa: S608
    assert rows == (2,)


def test_a_tenant_writes_no_row_for_another(application: Connection, tenants: list[UUID]) -> None:
    mine, other = tenants
    name_tenant(application, mine)
    for statement in (
        "INSERT INTO users (id, tenant_id, email, password_hash, created_at, updated_at)"
        " VALUES (gen_random_uuid(), %s, 'x', 'x', now(), now())",
        "INSERT INTO audit_logs (id, tenant_id, event_type, created_at, details)"
        " VALUES (gen_random_uuid(), %s, 'signup', now(), '{}')",
        "INSERT INTO login_failures VALUES (%s, 'y', 1, now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            application.execute(statement, (other,))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute("INSERT INTO tenants VALUES (gen_random_uuid(), 'new', 'New', now())")


def test_the_audit_trail_can_only_grow(application: Connection, tenants: list[UUID], migrated: Database) -> None:
    name_tenant(application, tenants[0])
    for statement in (
        "UPDATE audit_logs SET event_type = 'x'",
        "DELETE FROM audit_logs",
        "TRUNCATE audit_logs",
        "DROP TABLE audit_logs",
        "ALTER TABLE audit_logs DISABLE ROW LEVEL SECURITY",
        "SELECT * FROM audit_logs FOR UPDATE",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(statement)
    with migrated.connect() as owner:
        assert count(owner, "audit_logs") == 2


@pytest.mark.usefixtures("tenants")
@pytest.mark.parametrize("table", ["roles", "permissions", "role_permissions", "tenants"])
def test_the_application_changes_no_catalogue(application: Connection, table: str) -> None:
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):  # noqa: S608
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(statement)


def test_the_look_up_functions_are_the_application_s_alone(migrated: Database) -> None:
    with migrated.connect() as owner:
        rows = owner.execute(
            "SELECT p.proname, has_function_privilege('janua_app', p.oid, 'EXECUTE'),"
            " EXISTS (SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee = 0), p.proconfig IS NOT NULL"
            " FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef ORDER BY 1"
        ).fetchall()
    names = ("janua_account", "janua_delete_expired", "janua_identity", "janua_refreshable", "janua_tenant_id")
    # Executable by the application, not by everybody, and with a search path of their own.
    assert rows == [(name, True, False, True) for name in names]


def test_an_owner_without_a_role_for_the_application_migrates_too(
    database: Database, alembic: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JANUA_DATABASE_APP_ROLE", "nobody_of_that_name")
    command.upgrade(alembic, "head")
    command.downgrade(alembic, "base")
    with database.connect() as owner:
        left = owner.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace").fetchall()
    assert left == []
