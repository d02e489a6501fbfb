"""What sessions, the lock-out and row level security need; a release of before goes on working with it.

The look-up functions answer the three questions that come before the tenant is known: whose is this token, this
refresh token, this address? They run with their owner's rights and return the rows of that one answer.
"""

import sqlalchemy as sa
from alembic import op

from migrations.application_role import application_role

revision = "007_sessions_and_lockout"
down_revision = "006_add_performance_indexes"
branch_labels = None
depends_on = None

_USER = """
    u.id AS user_id, u.email::text AS email, u.name::text AS name, u.created_at AS created_at,
    t.slug::text AS tenant, u.version AS version
"""
_USER_TYPES = "user_id uuid, email text, name text, created_at timestamptz, tenant text, version bigint"
_GRANTS = "ur.role_name::text AS role_name, rp.permission_name::text AS permission_name"
_GRANT_TYPES = "role_name text, permission_name text"
_JOIN_GRANTS = """
    LEFT JOIN user_roles ur ON ur.user_id = u.id
    LEFT JOIN role_permissions rp ON rp.role_name = ur.role_name
"""

# PL/pgSQL keeps the plan of each statement for the connection's life; SQL functions are planned at each call.
_FUNCTIONS = {
    "janua_tenant_id(wanted text)": (
        "TABLE (tenant_id uuid)",
        "BEGIN RETURN QUERY SELECT t.id FROM tenants t WHERE t.slug = wanted; END",
    ),
    "janua_account(wanted_tenant text, wanted_email text, wanted_account text, failures_since timestamptz)": (
        f"TABLE (tenant_id uuid, password_hash text, failures integer, {_USER_TYPES}, {_GRANT_TYPES})",
        f"""BEGIN RETURN QUERY
        SELECT t.id AS tenant_id, u.password_hash::text AS password_hash, coalesce(f.failures, 0) AS failures,
            {_USER}, {_GRANTS}
        FROM tenants t
        LEFT JOIN users u ON u.tenant_id = t.id AND u.email = wanted_email
        LEFT JOIN login_failures f ON f.tenant_id = t.id AND f.account = wanted_account
            AND f.window_started_at > failures_since
        {_JOIN_GRANTS}
        WHERE t.slug = wanted_tenant; END""",
    ),
    "janua_identity(wanted_token text, at timestamptz)": (
        f"TABLE (session_id uuid, tenant_id uuid, expires_at timestamptz, {_USER_TYPES}, {_GRANT_TYPES})",
        f"""BEGIN RETURN QUERY
        SELECT s.id AS session_id, s.tenant_id AS tenant_id, s.expires_at AS expires_at, {_USER}, {_GRANTS}
        FROM sessions s JOIN users u ON u.id = s.user_id JOIN tenants t ON t.id = s.tenant_id
        {_JOIN_GRANTS}
        WHERE s.token = wanted_token AND s.is_active AND s.expires_at > at; END""",
    ),
    "janua_refreshable(wanted_token text)": (
        f"""TABLE (session_id uuid, tenant_id uuid, token text, refresh_token text, is_active boolean,
        opened_at timestamptz, expires_at timestamptz, refresh_expires_at timestamptz, rotated_at timestamptz,
        {_USER_TYPES})""",
        f"""BEGIN RETURN QUERY
        SELECT s.id AS session_id, s.tenant_id AS tenant_id, s.token::text AS token,
            s.refresh_token::text AS refresh_token, s.is_active AS is_active, s.created_at AS opened_at,
            s.expires_at AS expires_at, s.refresh_expires_at AS refresh_expires_at, r.rotated_at AS rotated_at, {_USER}
        FROM (
            SELECT c.id, NULL::timestamptz AS rotated_at FROM sessions c WHERE c.refresh_token = wanted_token
            UNION ALL
            SELECT p.session_id, p.rotated_at FROM rotated_tokens p WHERE p.token = wanted_token
        ) r
        JOIN sessions s ON s.id = r.id JOIN users u ON u.id = s.user_id JOIN tenants t ON t.id = s.tenant_id; END""",
    ),
    "janua_delete_expired(expired_before timestamptz, at timestamptz, failures_before timestamptz, most integer)": (
        "integer",
        """DECLARE deleted integer; BEGIN
        DELETE FROM login_failures f WHERE (f.tenant_id, f.account) IN (
            SELECT o.tenant_id, o.account FROM login_failures o WHERE o.window_started_at < failures_before
            ORDER BY o.window_started_at LIMIT 100 * most FOR UPDATE SKIP LOCKED
        );
        DELETE FROM sessions s WHERE s.id IN (
            SELECT e.id FROM sessions e WHERE e.expires_at < expired_before AND e.refresh_expires_at < at
            ORDER BY e.expires_at LIMIT most FOR UPDATE SKIP LOCKED
        );
        GET DIAGNOSTICS deleted = ROW_COUNT;
        RETURN deleted; END""",
    ),
}


def upgrade() -> None:
    """Add columns, tables and functions."""
    op.add_column("users", sa.Column("version", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("user_roles", sa.Column("tenant_id", sa.Uuid))
    op.add_column("sessions", sa.Column("user_agent", sa.String(200)))
    op.create_table(
        "rotated_tokens",
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("access_token", sa.String(64), nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_rotated_tokens"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_rotated_tokens_session_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_rotated_tokens_session_id", "rotated_tokens", ["session_id"])
    op.create_table(
        "login_failures",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "account", name="pk_login_failures"),
    )
    op.create_index("ix_login_failures_window_started_at", "login_failures", ["window_started_at"])
    if op.get_context().dialect.name == "postgresql":
        _create_functions()


def downgrade() -> None:
    """Take all of it away."""
    if op.get_context().dialect.name == "postgresql":
        for signature in _FUNCTIONS:
            op.execute(f"DROP FUNCTION {signature}")
    op.drop_table("login_failures")
    op.drop_table("rotated_tokens")
    op.drop_column("sessions", "user_agent")
    op.drop_column("user_roles", "tenant_id")
    op.drop_column("users", "version")


def _create_functions() -> None:
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    application = application_role()
    for signature, (returns, body) in _FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql SECURITY DEFINER"
            f" SET search_path = {schema}, pg_temp AS $${body}$$"
        )
        # Not for everybody: one of them hands out a password's hash.
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        if application:
            op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {application}")
