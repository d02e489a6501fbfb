"""Alerts on what has to be done all the time though no request waits for it: backups, audit trail, revocations."""

from alerts import promql
from alerts.alert import MILLISECONDS, Alert, Severity
from alerts.metrics import AUDIT_ROWS, BACKUP_ATTEMPT, BACKUP_SUCCESS, NODE_JOB, REQUEST_LATENCY, REVOCATION
from alerts.recordings import LONG
from dashboards import uids

# Each release makes a backup first: a staging stack that has had none for a week is one that nobody backs up.
BACKUP_MAX_AGE_HOURS = 168
# Half the lease for which a replica that does not answer is waited for (JANUA_CACHE_MEMORY_LEASE_SECONDS).
REVOCATION_P95_MS = 1000
_REVOCATIONS_FLOOR = 5

# What leaves just one row each when it succeeds.
AUDITED = (
    ("/api/v1/auth/login", "200", "login_success"),
    ("/api/v1/auth/signup", "201", "signup"),
    ("/api/v1/auth/logout", "204", "logout"),
)
# Requests of a moment: their row is counted before a scrape and they themselves after it, or the other way round.
AUDIT_SLACK = 5
_AUDIT_WINDOW = "10m"


def alerts() -> list[Alert]:
    """Return these alerts."""
    return [*_backups(), _audit(), _revocation()]


def _backups() -> list[Alert]:
    return [
        Alert(
            name="BackupFailed",
            severity=Severity.TICKET,
            expression=f"{BACKUP_ATTEMPT} > {BACKUP_SUCCESS} or {BACKUP_ATTEMPT} unless {BACKUP_SUCCESS}",
            summary="the last backup of the database failed, at {value}",
            figure="{{ $value | humanizeTimestamp }}",
            # The time that a backup may take.
            pending="5m",
            dashboard=uids.DATABASE,
        ),
        Alert(
            name="BackupMissing",
            severity=Severity.TICKET,
            expression=f"(time() - {BACKUP_SUCCESS}) / 3600 > {BACKUP_MAX_AGE_HOURS}"
            f' or absent({BACKUP_SUCCESS}{{job="{NODE_JOB}"}})',
            summary=f"no good backup of the database for {BACKUP_MAX_AGE_HOURS} hours, or ever",
            pending="5m",
            dashboard=uids.DATABASE,
            explained_by=("BackupFailed", "TargetDown"),
            explained_within=("stack", "job"),
        ),
    ]


def _audit() -> Alert:
    selectors = [f'path="{path}",status="{status}"' for path, status, _ in AUDITED]
    events = "|".join(event for _, _, event in AUDITED)
    requests = " + ".join(
        f"(sum(increase({REQUEST_LATENCY}_count{{{selector}}}[{_AUDIT_WINDOW}])) or vector(0))"
        for selector in selectors
    )
    rows = f'(sum(increase({AUDIT_ROWS}{{event_type=~"{events}"}}[{_AUDIT_WINDOW}])) or vector(0))'
    return Alert(
        name="AuditRowsMissing",
        severity=Severity.TICKET,
        expression=f"{requests} - {rows} > {AUDIT_SLACK}",
        summary=f"{{value}} logins, signups and logouts of the last {_AUDIT_WINDOW} left no row in the audit trail",
        pending="1m",
        dashboard=uids.DATABASE,
    )


def _revocation() -> Alert:
    p95 = promql.quantile(0.95, REVOCATION, "", LONG)
    return Alert(
        name="RevocationSlow",
        severity=Severity.TICKET,
        expression=f"{p95} >= {REVOCATION_P95_MS}"
        f" and sum(increase({REVOCATION}_count[{LONG}])) >= {_REVOCATIONS_FLOOR}",
        summary=f"p95 of the time until a revocation holds everywhere is {{value}}, limit {REVOCATION_P95_MS} ms",
        figure=MILLISECONDS,
        pending="1m",
        dashboard=uids.CACHE,
        explained_by=("RedisDown", "ReplicaMissing"),
    )
