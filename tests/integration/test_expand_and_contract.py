"""The release before runs on the newer schema: what could be read and written at a revision still can at the next one.

For each pair of neighbouring revisions the service's role fills every table, reads, changes and empties it, with
statements that know the older schema only: first there, then after the newer one was put in place.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    NullPool,
    Table,
    create_engine,
    delete,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from infra.config import ROOT
from service.ids import new_id
from tests.servers import Database

pytestmark = pytest.mark.integration

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(Config(str(ROOT / "alembic.ini"))).walk_revisions()
][::-1]
SCOPE = text("SELECT set_config('janua.tenant_id', :tenant, true), set_config('janua.platform', 'on', true)")
# The audit trail, tenants and the catalogue of roles are only added to, or only read.
TAKEN = {
    "009_row_level_security": {
        "audit_logs": ("update", "delete"),
        "tenants": ("update", "delete"),
        **dict.fromkeys(("roles", "permissions", "role_permissions"), ("insert", "update", "delete")),
    }
}
Row = dict[str, Any]


def connected(database: Database, role: str) -> Engine:
    """Connections of a role, each begun anew: schemas change under them."""
    password = database.server.password_file.read_text()
    url = make_url(database.url(role)).set(drivername="postgresql+psycopg", password=password)
    return create_engine(url, poolclass=NullPool)


def schema(database: Database) -> list[Table]:
    """The tables as they are now, each after those that it refers to."""
    found = MetaData()
    found.reflect(connected(database, "janua"))
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def possible(database: Database, tables: list[Table]) -> set[tuple[str, str]]:
    """What the service's role can do to each table, as pairs of table and statement; nothing of it is kept."""
    done: set[tuple[str, str]] = set()
    rows: dict[str, Row] = {}
    with connected(database, "janua").connect() as owner:
        tenant = owner.execute(text("SELECT id FROM tenants WHERE slug = 'default'")).scalar_one()
    with connected(database, "janua_app").connect() as connection:
        connection.execute(SCOPE, {"tenant": str(tenant)})
        for table in tables:
            row = {column.name: value(column, rows, tenant) for column in table.columns}
            if succeeds(connection, insert(table).values(row)):
                done.add((table.name, "insert"))
                rows[table.name] = row
            elif present := some_row(connection, table):
                rows[table.name] = present
        for table in tables[::-1]:
            this = (
                [column == rows[table.name][column.name] for column in table.primary_key] if table.name in rows else []
            )
            statements = {
                "select": select(table).where(*this),
                **{
                    f"update {column.name}": update(table).where(*this).values({column.name: column})
                    for column in table.columns
                },
                "delete": delete(table).where(*this),
            }
            done |= {(table.name, name) for name, statement in statements.items() if succeeds(connection, statement)}
        connection.rollback()
    return done


def some_row(connection: Connection, table: Table) -> Row | None:
    """A row that is there already, if the table has one and can be read."""
    try:
        with connection.begin_nested():
            found = connection.execute(select(table).limit(1)).mappings().first()
            return dict(found) if found else None
    except DBAPIError:
        return None


def succeeds(connection: Connection, statement: Any) -> bool:
    """Whether a statement can be executed and, if it looks for a row, finds it."""
    try:
        with connection.begin_nested():
            result = connection.execute(statement)
            return bool(result.all() if result.returns_rows else result.rowcount)
    except DBAPIError:
        return False


def value(column: Column[Any], rows: dict[str, Row], tenant: Any) -> Any:
    """Something that fits a column: of the row that it refers to, or new."""
    if column.name == "tenant_id":
        return tenant
    for key in column.foreign_keys:
        if key.column.table.name in rows:
            return rows[key.column.table.name][key.column.name]
    return NEW[column.type.python_type](column)


NEW: dict[type, Callable[[Column[Any]], Any]] = {
    UUID: lambda _: new_id(),
    # The end of an id: the beginning of those that are made within a moment is the same.
    str: lambda column: str(new_id())[-(getattr(column.type, "length", None) or 36) :],
    bool: lambda _: True,
    int: lambda _: 7,
    datetime: lambda _: datetime.now(UTC),
    object: lambda _: {},  # JSON
}


def is_taken(revision: str, table: str, statement: str) -> bool:
    """Whether a revision takes something from the service's role that the service has never done."""
    return statement.partition(" ")[0] in TAKEN.get(revision, {}).get(table, ())


@pytest.mark.parametrize(("older", "newer"), list(pairwise(REVISIONS)))
def test_what_was_possible_at_a_revision_is_possible_at_the_next(
    database: Database, alembic: Config, older: str, newer: str
) -> None:
    command.upgrade(alembic, older)
    known = schema(database)
    before = possible(database, known)
    assert {(table.name, "select") for table in known} <= before
    command.upgrade(alembic, newer)
    lost = before - possible(database, known)
    assert {(table, statement) for table, statement in lost if not is_taken(newer, table, statement)} == set()


CONTRACTIONS = {
    "a column is gone": ("ALTER TABLE users DROP COLUMN name", ("users", "select")),
    "a column has another name": ("ALTER TABLE users RENAME COLUMN name TO full_name", ("users", "select")),
    "a column has to be given": ("ALTER TABLE users ADD COLUMN age integer NOT NULL", ("users", "insert")),
    "a column takes less": ("ALTER TABLE audit_logs ALTER COLUMN event_type TYPE varchar(3)", ("audit_logs", "insert")),
    "a table is not to be written": ("REVOKE UPDATE ON users FROM janua_app", ("users", "update name")),
}


@pytest.mark.parametrize(("statement", "lost"), CONTRACTIONS.values(), ids=CONTRACTIONS)
def test_a_contraction_is_found(migrated: Database, statement: str, lost: tuple[str, str]) -> None:
    known = schema(migrated)
    before = possible(migrated, known)
    assert lost in before
    with migrated.connect() as owner:
        owner.execute(statement)
    assert lost in before - possible(migrated, known)
