"""Takes the eight indexes of revision 006 away: `python -m migrations.baseline`.

For a stack that others are compared with, and that is thrown away afterwards: its schema is of the newest revision all
the same, so that no migration would build them again.
"""

import sys

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from service.database.engine import brief_connection
from service.database.indexes import PERFORMANCE_INDEXES
from service.settings import SettingsError, load_settings


def main() -> int:
    """Drop them without keeping anyone from writing; 2 if the database cannot be asked."""
    try:
        with brief_connection(load_settings(), autocommit=True) as connection:
            how = "CONCURRENTLY IF EXISTS" if connection.dialect.name == "postgresql" else "IF EXISTS"
            for index in PERFORMANCE_INDEXES:
                connection.execute(text(f"DROP INDEX {how} {index.name}"))
                sys.stdout.write(f"gone    {index.name} on {index.sql}\n")
    except (SettingsError, SQLAlchemyError) as error:
        sys.stderr.write(f"The indexes could not be dropped: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
