"""Checks that the eight indexes of revision 006 exist and are valid: `python -m migrations.verify`."""

import sys
from collections.abc import Mapping

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from service.database.engine import brief_connection
from service.database.indexes import PERFORMANCE_INDEXES
from service.settings import SettingsError, load_settings

_POSTGRESQL = text(
    """
    SELECT p.indexname AS name, i.indisvalid AS valid FROM pg_indexes p
    JOIN pg_class c ON c.relname = p.indexname AND c.relnamespace = p.schemaname::regnamespace
    JOIN pg_index i ON i.indexrelid = c.oid
    WHERE p.schemaname = current_schema()
    """
)
_SQLITE = text("SELECT name, 1 AS valid FROM sqlite_master WHERE type = 'index'")


def find_indexes(connection: Connection) -> dict[str, bool]:
    """Every index of the schema by name, and whether it is valid."""
    statement = _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
    return {row.name: bool(row.valid) for row in connection.execute(statement)}


def report(found: Mapping[str, bool]) -> tuple[list[str], bool]:
    """A line for each of the eight, and whether all of them are there and valid."""
    states = {
        spec: {None: "missing", False: "INVALID", True: "ok"}[found.get(spec.name)] for spec in PERFORMANCE_INDEXES
    }
    lines = [f"{state:8}{spec.name} on {spec.sql}" for spec, state in states.items()]
    return lines, set(states.values()) == {"ok"}


def main() -> int:
    """Print the report; 1 if an index is missing or invalid, 2 if the database cannot be asked."""
    try:
        with brief_connection(load_settings()) as connection:
            found = find_indexes(connection)
    except (SettingsError, SQLAlchemyError) as error:
        sys.stderr.write(f"The indexes could not be verified: {error}\n")
        return 2
    lines, complete = report(found)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
