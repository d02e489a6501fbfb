"""What the audit trail can tell of."""

from enum import StrEnum


class AuditEvent(StrEnum):
    """The value of `audit_logs.event_type`."""

    SIGNUP = "signup"
    LOGIN_SUCCESS = "login_success"
    LOGIN_FAILURE = "login_failure"
    LOGOUT = "logout"
    ADMIN_CREATED = "admin_created"
