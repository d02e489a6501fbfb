"""Roles, permissions and who has which."""

import sqlalchemy as sa
from alembic import op

revision = "003"
down_revision = "002"
branch_labels = None
depends_on = None

_PERMISSIONS = {
    "users:read": "See the users of the tenant",
    "users:write": "Change the users of the tenant",
    "roles:read": "See which roles a user has",
    "roles:write": "Give roles and take them away",
    "audit:read": "Read the audit trail",
    "metrics:read": "See the figures of cache and service",
    "tokens:introspect": "Ask about tokens of others (RFC 7662)",
    "tenants:read": "See all tenants",
    "tenants:write": "Create tenants",
}
_ROLES = {
    "platform-admin": ("Runs the platform", list(_PERMISSIONS)),
    "tenant-admin": (
        "Runs one tenant",
        ["users:read", "users:write", "roles:read", "roles:write", "audit:read", "metrics:read"],
    ),
    "auditor": ("Looks, changes nothing", ["audit:read", "users:read", "metrics:read"]),
    "member": ("Uses the service; may see and change only what is its own", []),
}


def upgrade() -> None:
    """Create the tables and the roles that there are from the start."""
    roles = op.create_table("roles", *_named("roles"))
    permissions = op.create_table("permissions", *_named("permissions"))
    role_permissions = op.create_table(
        "role_permissions",
        sa.Column("role_name", sa.String(63), nullable=False),
        sa.Column("permission_name", sa.String(63), nullable=False),
        sa.PrimaryKeyConstraint("role_name", "permission_name", name="pk_role_permissions"),
        _cascading("role_permissions", "role_name", "roles.name"),
        _cascading("role_permissions", "permission_name", "permissions.name"),
    )
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("role_name", sa.String(63), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "role_name", name="pk_user_roles"),
        _cascading("user_roles", "user_id", "users.id"),
        _cascading("user_roles", "role_name", "roles.name"),
    )
    op.bulk_insert(permissions, [{"name": n, "description": d} for n, d in _PERMISSIONS.items()])
    op.bulk_insert(roles, [{"name": n, "description": d} for n, (d, _) in _ROLES.items()])
    grants = [{"role_name": r, "permission_name": p} for r, (_, names) in _ROLES.items() for p in names]
    op.bulk_insert(role_permissions, grants)


def downgrade() -> None:
    """Drop the tables."""
    for table in ("user_roles", "role_permissions", "permissions", "roles"):
        op.drop_table(table)


def _named(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name=f"pk_{table}"),
    ]


def _cascading(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="CASCADE")
