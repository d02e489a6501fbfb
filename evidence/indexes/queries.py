"""The queries that the indexes of revision 006 are for.

Asked as a superuser, whom row level security does not bind: so are the service's look-ups by address and token, which
run with their owner's rights; to its other queries the policies add the condition on the tenant that they have anyway.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from loadtest.population.users import Population
from service.audit.events import AuditEvent
from service.sessions.cleanup import MOST
from service.tokens.opaque import fingerprint

Values = dict[str, object]
PAGE = 51
_TENANT = "(SELECT id FROM tenants WHERE slug = %(tenant)s)"
_NEWEST_FIRST = f"ORDER BY created_at DESC, id DESC LIMIT {PAGE}"
_OF_KIND_IN_TENANT = (
    f"SELECT id, user_id, created_at FROM audit_logs WHERE tenant_id = {_TENANT} AND event_type = %(event)s"
    f" {_NEWEST_FIRST}"
)


@dataclass(frozen=True)
class Query:
    """A question that an index answers.

    `asked_by` says which part of the service asks it, empty if none does; `values` gives its parameters for the user of
    a number. The index was made for its own question: one of its columns and no others. What it gives to others that
    it has to filter for is told, but not what its target is about.
    """

    index: str
    question: str
    asked_by: str
    sql: str
    values: Callable[[Population, int], Values]
    is_own: bool = True


def _user(population: Population, number: int) -> Values:
    return {
        "tenant": population.tenant(number),
        "email": population.email(number),
        "user_id": population.user_id(number),
        "now": datetime.now(UTC),
    }


def _token(population: Population, number: int) -> Values:
    return {"token": fingerprint(population.token(number)), "now": datetime.now(UTC)}


def _rare_event(population: Population, number: int) -> Values:
    return {"tenant": population.tenant(number), "event": AuditEvent.PASSWORD_CHANGED.value}


def _frequent_event(population: Population, number: int) -> Values:
    return {"tenant": population.tenant(number), "event": AuditEvent.LOGIN_SUCCESS.value}


QUERIES = (
    Query(
        "idx_users_email",
        "a user by address, over all tenants",
        "",
        "SELECT id, tenant_id, name FROM users WHERE email = %(email)s",
        _user,
    ),
    Query(
        "idx_users_tenant_email",
        "a user by address, in a tenant",
        "login, signup",
        f"SELECT id, password_hash, version FROM users WHERE tenant_id = {_TENANT} AND email = %(email)s",
        _user,
    ),
    Query(
        "idx_sessions_token",
        "the session of a token",
        "validation",
        "SELECT id, tenant_id, user_id, expires_at FROM sessions"
        " WHERE token = %(token)s AND is_active AND expires_at > %(now)s",
        _token,
    ),
    Query(
        "idx_sessions_user_active",
        "the live sessions of a user",
        "list of sessions, logout of all, change of a password or a role",
        "SELECT id, created_at, expires_at, user_agent FROM sessions"
        f" WHERE tenant_id = {_TENANT} AND user_id = %(user_id)s AND is_active AND expires_at > %(now)s",
        _user,
    ),
    Query(
        "idx_sessions_expires",
        "expired sessions, a batch",
        "clean-up",
        "SELECT id FROM sessions WHERE expires_at < %(now)s AND refresh_expires_at < %(now)s"
        f" ORDER BY expires_at LIMIT {MOST} FOR UPDATE SKIP LOCKED",
        _user,
    ),
    Query(
        "idx_audit_user_time",
        "the newest events of a user",
        "audit trail of a user",
        f"SELECT id, event_type, created_at FROM audit_logs WHERE tenant_id = {_TENANT} AND user_id = %(user_id)s"
        f" {_NEWEST_FIRST}",
        _user,
    ),
    Query(
        "idx_audit_tenant_time",
        "the newest events of a tenant",
        "audit trail",
        f"SELECT id, event_type, created_at FROM audit_logs WHERE tenant_id = {_TENANT} {_NEWEST_FIRST}",
        _user,
    ),
    Query(
        "idx_audit_event_type",
        "the newest events of a kind, over all tenants",
        "",
        f"SELECT id, user_id, created_at FROM audit_logs WHERE event_type = %(event)s {_NEWEST_FIRST}",
        _rare_event,
    ),
    Query(
        "idx_audit_event_type",
        "the newest events of a rare kind in a tenant",
        "audit trail by event",
        _OF_KIND_IN_TENANT,
        _rare_event,
        is_own=False,
    ),
    Query(
        "idx_audit_event_type",
        "the newest events of a frequent kind in a tenant",
        "audit trail by event",
        _OF_KIND_IN_TENANT,
        _frequent_event,
        is_own=False,
    ),
)
