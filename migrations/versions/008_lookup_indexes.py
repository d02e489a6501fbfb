"""Indexes for what revision 007 looks up in tables that are in use."""

from migrations.online import build_indexes, drop_indexes
from service.database.indexes import LOOKUP_INDEXES

revision = "008_lookup_indexes"
down_revision = "007_sessions_and_lockout"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the indexes online."""
    build_indexes(LOOKUP_INDEXES)


def downgrade() -> None:
    """Drop the indexes online."""
    drop_indexes(LOOKUP_INDEXES)
