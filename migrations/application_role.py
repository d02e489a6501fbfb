"""The role that the service connects as, for revisions that say what it may do."""

from alembic import op
from sqlalchemy import text

from service.settings import load_settings


def application_role() -> str | None:
    """The role's name, quoted for SQL; None if the server has no such role, as where the owner serves itself."""
    statement = text("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = :name")
    name: str | None = op.get_bind().execute(statement, {"name": load_settings().database_app_role}).scalar()
    return name
