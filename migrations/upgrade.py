"""Brings the database to the schema of this release: `python -m migrations.upgrade`.

One that a newer release has left stays as it is: revisions only add what the release before can do without, and a
rollback must not lose what was written since.
"""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from service.database.engine import brief_connection
from service.settings import SettingsError, load_settings

_CONFIGURATION = Path(__file__).resolve().parents[1] / "alembic.ini"


def main() -> int:
    """Upgrade to the newest revision that this release knows; 2 if the database cannot be asked."""
    config = Config(_CONFIGURATION)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    try:
        revision = _current()
    except (SettingsError, SQLAlchemyError) as error:
        sys.stderr.write(f"The database cannot be upgraded: {error}\n")
        return 2
    if revision is not None and revision not in known:
        sys.stdout.write(f"The schema is of a newer release (revision {revision}): it stays as it is.\n")
        return 0
    command.upgrade(config, "head")
    return 0


def _current() -> str | None:
    with brief_connection(load_settings()) as connection:
        return MigrationContext.configure(connection).get_current_revision()


if __name__ == "__main__":
    sys.exit(main())
