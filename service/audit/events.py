"""What the audit trail can tell of."""

from enum import StrEnum


class AuditEvent(StrEnum):
    """The value of `audit_logs.event_type`."""

    SIGNUP = "signup"
    LOGIN_SUCCESS = "login_success"
    LOGIN_FAILURE = "login_failure"
    TOKEN_REFRESHED = "token_refreshed"  # noqa: S105 - an event, not a token
    REFRESH_REUSED = "refresh_reused"
    JWT_ISSUED = "jwt_issued"
    LOGOUT = "logout"
    LOGOUT_ALL = "logout_all"
    SESSION_ENDED = "session_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_CHANGE_FAILURE = "password_change_failure"  # noqa: S105
    PASSWORD_REHASHED = "password_rehashed"  # noqa: S105
    USER_UPDATED = "user_updated"
    ROLES_CHANGED = "roles_changed"
    TENANT_CREATED = "tenant_created"
    ADMIN_CREATED = "admin_created"
    GATE_OVERRIDDEN = "gate_overridden"
