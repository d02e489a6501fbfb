"""Cases of backups, the audit trail and revocations."""

from alerts.cases.case import Case, Firing
from alerts.metrics import AUDIT_ROWS, BACKUP_ATTEMPT, BACKUP_SUCCESS, NODE_JOB, REVOCATION
from alerts.series import MINUTE, always, each, every, histogram, requests, series
from alerts.upkeep import BACKUP_MAX_AGE_HOURS, REVOCATION_P95_MS

_NODE = {"job": NODE_JOB, "instance": "node-exporter:9100"}
_ATTEMPT, _SUCCESS = series(BACKUP_ATTEMPT, _NODE), series(BACKUP_SUCCESS, _NODE)
_HOUR = 3600


def cases() -> list[Case]:
    """Return these cases."""
    return [*_backups(), _audit(), _revocation()]


def _backups() -> list[Case]:
    # The clock of a test begins at 1970: what lies before is negative.
    long_ago, lately = -(BACKUP_MAX_AGE_HOURS + 1) * _HOUR, -(BACKUP_MAX_AGE_HOURS - 1) * _HOUR
    failed = (Firing("1970-01-01 00:05:00 +0000 UTC", _NODE),)
    return [
        Case(
            alert="BackupFailed",
            at="12m",
            fires_on={_ATTEMPT: always(300), _SUCCESS: always(60)},
            firing=failed,
            also=(({_ATTEMPT: always(300)}, failed),),
            silent_on={
                "it succeeded": {_ATTEMPT: always(300), _SUCCESS: always(301)},
                "it runs": {_ATTEMPT: f"60x{10 * MINUTE} 600x{10 * MINUTE}", _SUCCESS: always(61)},
            },
        ),
        Case(
            alert="BackupMissing",
            at="12m",
            fires_on={_SUCCESS: always(long_ago)},
            firing=(Firing(labels=_NODE),),
            also=(({_ATTEMPT: always(1)}, (Firing(labels={"job": NODE_JOB}),)),),
            silent_on={"there is one of this week": {_SUCCESS: always(lately)}},
        ),
    ]


def _audit() -> Case:
    logins, refused = requests("/api/v1/auth/login", 200), requests("/api/v1/auth/login", 401)
    rows = series(AUDIT_ROWS, {"event_type": "login_success"})
    others = series(AUDIT_ROWS, {"event_type": "login_failure"})
    return Case(
        alert="AuditRowsMissing",
        at="13m",
        fires_on={logins: each(10), rows: each(9), others: each(10)},
        firing=(Firing("120"),),
        silent_on={
            "each left a row": {logins: each(10), rows: each(10)},
            "what was refused is another event": {refused: each(10), others: each(0)},
            "three are on their way": {logins: f"3x{MINUTE} {each(10)}", rows: f"0x{MINUTE} {each(10)}"},
        },
    )


def _revocation() -> Case:
    labels = {"job": "service", "instance": "a:8000"}
    slow, fast = (REVOCATION_P95_MS, 21 * REVOCATION_P95_MS), (REVOCATION_P95_MS / 2, REVOCATION_P95_MS * 0.9)
    return Case(
        alert="RevocationSlow",
        at="8m",
        fires_on=histogram(REVOCATION, labels, slow, each(1)),
        firing=(Firing(f"{20 * REVOCATION_P95_MS:.1f} ms"),),
        silent_on={
            "fast": histogram(REVOCATION, labels, fast, each(1)),
            "two of them": histogram(REVOCATION, labels, slow, every(2 * MINUTE)),
        },
    )
