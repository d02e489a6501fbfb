"""Tenants, with the one that a request means when it names none."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None
branch_labels = None
depends_on = None

_DEFAULT_TENANT_ID = UUID("0190d4b8-6c00-7000-8000-000000000001")


def upgrade() -> None:
    """Create the table and the tenant `default`."""
    tenants = op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("slug", sa.String(63), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sa.UniqueConstraint("slug", name="uq_tenants_slug"),
    )
    row = {"id": _DEFAULT_TENANT_ID, "slug": "default", "name": "Default", "created_at": datetime.now(UTC)}
    op.bulk_insert(tenants, [row])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("tenants")
