"""The migrations on SQLite; tests/integration has the same for PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from migrations import baseline, upgrade, verify
from service.database.indexes import PERFORMANCE_INDEXES

ROOT = Path(__file__).resolve().parents[3]
EIGHT = {
    "idx_users_email": "users(email)",
    "idx_users_tenant_email": "users(tenant_id,email)",
    "idx_sessions_token": "sessions(token)",
    "idx_sessions_user_active": "sessions(user_id,is_active)",
    "idx_sessions_expires": "sessions(expires_at)",
    "idx_audit_user_time": "audit_logs(user_id,created_at DESC)",
    "idx_audit_tenant_time": "audit_logs(tenant_id,created_at DESC)",
    "idx_audit_event_type": "audit_logs(event_type,created_at DESC)",
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JANUA_DATABASE_URL", f"sqlite:///{tmp_path}/made/on/demand.db")
    return tmp_path / "made/on/demand.db"


@pytest.fixture
def alembic() -> Config:
    return Config(ROOT / "alembic.ini")


def schema(file: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name <> 'alembic_version'"
        return sorted(connection.execute(query).fetchall(), key=str)


def shape(file: Path) -> list[tuple[object, ...]]:
    """The schema as SQLite understands it: ALTER TABLE leaves other spaces and quotes than CREATE TABLE."""
    with closing(sqlite3.connect(file)) as connection:

        def pragma(name: str, of: str) -> list[tuple[object, ...]]:
            return [(of, name, *row) for row in connection.execute(f"PRAGMA {name}({of})")]

        rows: list[tuple[object, ...]] = []
        for kind, name, _, _ in schema(file):
            names = ("index_xinfo",) if kind == "index" else ("table_info", "foreign_key_list", "index_list")
            rows += [row for each in names for row in pragma(each, name)]
        return rows


def indexes(file: Path) -> set[str]:
    return {name for kind, name, _, sql in schema(file) if kind == "index" and sql}


def test_revisions_are_numbered_in_a_row(alembic: Config) -> None:
    script = ScriptDirectory.from_config(alembic)
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert revisions[::-1] == [
        *("001", "002", "003", "004", "005", "006_add_performance_indexes"),
        *("007_sessions_and_lockout", "008_lookup_indexes", "009_row_level_security"),
    ]


def test_up_down_up_leaves_the_same_schema(file: Path, alembic: Config) -> None:
    seen: dict[str, list[tuple[object, ...]]] = {}
    revisions = [r.revision for r in ScriptDirectory.from_config(alembic).walk_revisions()][::-1]
    for revision in revisions:
        command.upgrade(alembic, revision)
        seen[revision] = shape(file)
    head = schema(file)
    for revision in revisions[::-1]:
        assert shape(file) == seen[revision]
        command.downgrade(alembic, "-1")
    assert [row for row in schema(file) if "alembic" not in str(row)] == []
    command.upgrade(alembic, "head")
    assert schema(file) == head


def test_tables_and_migrations_agree(file: Path, alembic: Config) -> None:
    command.upgrade(alembic, "head")
    command.check(alembic)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE users ADD COLUMN shoe_size INTEGER")
    with pytest.raises(Exception, match="shoe_size"):
        command.check(alembic)


def test_006_adds_exactly_the_eight(file: Path, alembic: Config) -> None:
    command.upgrade(alembic, "005")
    before = indexes(file)
    command.upgrade(alembic, "006_add_performance_indexes")
    assert indexes(file) - before == set(EIGHT)
    for index in PERFORMANCE_INDEXES:
        assert EIGHT[index.name] == index.sql.replace(" (", "(").replace(", ", ",")


def test_an_address_is_unique_without_006(file: Path, alembic: Config) -> None:
    command.upgrade(alembic, "005")
    with closing(sqlite3.connect(file)) as connection:
        tenant = connection.execute("SELECT id FROM tenants WHERE slug = 'default'").fetchone()[0]
        row = (tenant, "ada@example.com", "hash", "2026-01-01", "2026-01-01")
        statement = "INSERT INTO users (id, tenant_id, email, password_hash, created_at, updated_at) VALUES "
        connection.execute(f"{statement} ('1', ?, ?, ?, ?, ?)", row)
        with pytest.raises(sqlite3.IntegrityError, match=r"users\.tenant_id, users\.email"):
            connection.execute(f"{statement} ('2', ?, ?, ?, ?, ?)", row)


def test_roles_and_permissions_are_there(file: Path, alembic: Config) -> None:
    command.upgrade(alembic, "head")
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT role_name, permission_name FROM role_permissions").fetchall()
        roles = {name for (name,) in connection.execute("SELECT name FROM roles")}
        everything = {name for (name,) in connection.execute("SELECT name FROM permissions")}
    grants = {role: {permission for r, permission in rows if r == role} for role in roles}
    assert grants == {
        "platform-admin": everything,
        "tenant-admin": {
            *("users:read", "users:write", "roles:read", "roles:write", "audit:read", "metrics:read"),
        },
        "auditor": {"audit:read", "users:read", "metrics:read"},
        "member": set(),
    }
    assert "tokens:introspect" in everything


def test_verify_names_what_is_missing(file: Path, alembic: Config, capsys: pytest.CaptureFixture[str]) -> None:
    command.upgrade(alembic, "head")
    capsys.readouterr()
    assert verify.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in EIGHT]
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP INDEX idx_users_email")
        connection.execute("DROP INDEX idx_audit_event_type")
    assert verify.main() == 1
    bad = [line.split()[:2] for line in capsys.readouterr().out.splitlines() if not line.startswith("ok")]
    assert bad == [["missing", "idx_users_email"], ["missing", "idx_audit_event_type"]]


def test_verify_says_when_an_index_is_invalid() -> None:
    lines, complete = verify.report({**dict.fromkeys(EIGHT, True), "idx_sessions_token": False})
    assert not complete
    assert [line.split()[:2] for line in lines if not line.startswith("ok")] == [["INVALID", "idx_sessions_token"]]


def test_a_baseline_has_none_of_the_eight_and_takes_them_away_twice(file: Path, alembic: Config) -> None:
    command.upgrade(alembic, "head")
    before = indexes(file)
    assert (baseline.main(), baseline.main()) == (0, 0)
    assert before - indexes(file) == EIGHT.keys()
    assert verify.main() == 1


def test_upgrade_goes_to_the_newest_revision_and_leaves_a_newer_schema_alone(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert upgrade.main() == 0
    assert verify.main() == 0
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '999_of_a_newer_release'")
        connection.commit()
    before = schema(file)
    assert upgrade.main() == 0
    assert "999_of_a_newer_release): it stays" in capsys.readouterr().out
    assert schema(file) == before
