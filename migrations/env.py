"""Alembic's environment: the database of `service.settings`, each revision in a transaction of its own."""

import sys

from alembic import context
from sqlalchemy import URL, Connection, create_engine, pool

from service.database.engine import sync_url
from service.database.tables import metadata
from service.settings import SettingsError, load_settings


def _database() -> URL:
    try:
        return sync_url(load_settings())
    except SettingsError as error:
        sys.exit(f"The settings are wrong:\n{error}")


def _migrate(connection: Connection) -> None:
    # A transaction for each revision, because 006 leaves its own to build indexes online.
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    sys.exit("Revision 006 looks at the database before it acts: it cannot be written as a script.")

_engine = create_engine(_database(), poolclass=pool.NullPool)
with _engine.connect() as _connection:
    _migrate(_connection)
_engine.dispose()
