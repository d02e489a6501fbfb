"""The eight indexes behind the figures of the performance targets."""

from migrations.online import build_indexes, drop_indexes
from service.database.indexes import PERFORMANCE_INDEXES

revision = "006_add_performance_indexes"
down_revision = "005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the indexes; on PostgreSQL online, while the tables are being written to."""
    build_indexes(PERFORMANCE_INDEXES)


def downgrade() -> None:
    """Drop the indexes, online too."""
    drop_indexes(PERFORMANCE_INDEXES)
