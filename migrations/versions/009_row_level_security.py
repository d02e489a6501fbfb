"""Row level security: the application sees and changes the rows of the tenant that it has named, and no others.

A release that does not name its tenant (one of before 007) cannot serve with this revision any more.
"""

from alembic import op

from migrations.application_role import application_role

revision = "009_row_level_security"
down_revision = "008_lookup_indexes"
branch_labels = None
depends_on = None

_OF_TENANT = "tenant_id = janua_tenant()"
# Who may be seen, for each table; what may be written follows from it except where _MAY_WRITE says more.
_MAY_SEE = {
    "tenants": "id = janua_tenant() OR janua_platform()",
    "users": _OF_TENANT,
    "sessions": _OF_TENANT,
    "rotated_tokens": _OF_TENANT,
    "login_failures": _OF_TENANT,
    "audit_logs": _OF_TENANT,
    "user_roles": _OF_TENANT,
    # The catalogue is the same for all tenants.
    "roles": "janua_tenant() IS NOT NULL",
    "permissions": "janua_tenant() IS NOT NULL",
    "role_permissions": "janua_tenant() IS NOT NULL",
}
_MAY_WRITE = {"tenants": "janua_platform()"}
# What the application has no business doing, of what the default privileges gave to it.
_TAKEN = {
    "audit_logs": "UPDATE, DELETE",
    "tenants": "UPDATE, DELETE",
    "roles": "INSERT, UPDATE, DELETE",
    "permissions": "INSERT, UPDATE, DELETE",
    "role_permissions": "INSERT, UPDATE, DELETE",
}


def upgrade() -> None:
    """Force row level security on every table that holds tenants' rows; SQLite has none."""
    # Rows that a release of before 007 has written since.
    op.execute(
        "UPDATE user_roles SET tenant_id = (SELECT u.tenant_id FROM users u WHERE u.id = user_roles.user_id)"
        " WHERE tenant_id IS NULL"
    )
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute(
        "CREATE FUNCTION janua_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE"
        " AS $$ SELECT nullif(current_setting('janua.tenant_id', true), '')::uuid $$"
    )
    op.execute(
        "CREATE FUNCTION janua_platform() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE"
        " AS $$ SELECT coalesce(current_setting('janua.platform', true), '') = 'on' $$"
    )
    for table, condition in _MAY_SEE.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        check = _MAY_WRITE.get(table, condition)
        op.execute(f"CREATE POLICY tenant_rows ON {table} USING ({condition}) WITH CHECK ({check})")
        # Forced, it binds the owner as well, in whose name the look-up functions and later revisions run.
        op.execute(f"CREATE POLICY owner_rows ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
    application = application_role()
    if application:
        for table, privileges in _TAKEN.items():
            op.execute(f"REVOKE {privileges} ON {table} FROM {application}")


def downgrade() -> None:
    """Take the policies away and give the privileges back."""
    if op.get_context().dialect.name != "postgresql":
        return
    application = application_role()
    if application:
        for table, privileges in _TAKEN.items():
            op.execute(f"GRANT {privileges} ON {table} TO {application}")
    for table in reversed(_MAY_SEE):
        for policy in ("owner_rows", "tenant_rows"):
            op.execute(f"DROP POLICY {policy} ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP FUNCTION janua_platform()")
    op.execute("DROP FUNCTION janua_tenant()")
