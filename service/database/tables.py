"""The tables, as the newest revision leaves them (`alembic check` compares)."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from service.database.indexes import LOOKUP_INDEXES, PERFORMANCE_INDEXES, declare
from service.database.types import Json, UtcDateTime

# The revision that this code needs; a newer one is fine, see service/health/routes.py.
REQUIRED_REVISION = "009_row_level_security"

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", String(63), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, ForeignKey("tenants.id"), nullable=False),
    Column("email", String(254), nullable=False),
    Column("name", String(200)),
    Column("password_hash", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # Raised by whatever changes the user, a role included: see service/users/repository.py.
    Column("version", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("tenant_id", "email"),
)

roles = Table(
    "roles",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("description", Text, nullable=False),
)

permissions = Table(
    "permissions",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("description", Text, nullable=False),
)

role_permissions = Table(
    "role_permissions",
    metadata,
    Column("role_name", String(63), ForeignKey("roles.name", ondelete="CASCADE"), primary_key=True),
    Column("permission_name", String(63), ForeignKey("permissions.name", ondelete="CASCADE"), primary_key=True),
)

user_roles = Table(
    "user_roles",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    # Null in rows that a release of before 007 writes, until revision 009 fills them in and its policy refuses null.
    Column("tenant_id", Uuid),
    Column("role_name", String(63), ForeignKey("roles.name", ondelete="CASCADE"), primary_key=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, ForeignKey("tenants.id"), nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("token", String(64), nullable=False),
    Column("refresh_token", String(64), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("refresh_expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("user_agent", String(200)),
)

# Refresh tokens that were exchanged for a new pair, with the access token of theirs: whoever presents one again
# has a copy.
rotated_tokens = Table(
    "rotated_tokens",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("access_token", String(64), nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("rotated_at", UtcDateTime, nullable=False),
    Index("ix_rotated_tokens_session_id", "session_id"),
)

# Failed logins by the hash of the address, whether there is such a user or not.
login_failures = Table(
    "login_failures",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("window_started_at", UtcDateTime, nullable=False),
    Index("ix_login_failures_window_started_at", "window_started_at"),
)

# One row. What it is for: service/cache/generation.py.
cache_generation = Table(
    "cache_generation",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

# No foreign keys on purpose: the trail outlives what it tells of.
audit_logs = Table(
    "audit_logs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("user_id", Uuid),
    Column("event_type", String(63), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("request_id", String(128)),
    Column("details", Json, nullable=False),
)

declare(metadata, (*PERFORMANCE_INDEXES, *LOOKUP_INDEXES))
