"""At most so many failed logins for an account in a window of time, counted in the database.

The count decides when a login is concluded, not when it begins: a right password opens a session only while
fewer failures are committed than are allowed. However many guesses are sent at once, to however many replicas,
no more than that many of them can have failed before one is believed. Addresses without a user are counted
alike, so that neither time nor answer tells them apart. A success does not reset the count: it would give
somebody who guesses ten more tries each time that the owner logs in.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, case, exists, literal
from sqlalchemy.dialects import postgresql, sqlite

from service.audit.repository import AuditEntry, Recorder
from service.database.tables import login_failures
from service.users.repository import Account


@dataclass(frozen=True, slots=True)
class Lockout:
    """The rule: how many failures are allowed within how many seconds of the first one."""

    failures: int
    window_seconds: int

    def since(self, now: datetime) -> datetime:
        """Windows that began before this are over."""
        return now - timedelta(seconds=self.window_seconds)

    def is_locked(self, failures: int) -> bool:
        """Whether an account with so many failures in its window is refused."""
        return failures >= self.failures

    def condition(self, tenant_id: UUID, email: str, now: datetime) -> ColumnElement[bool]:
        """The same as SQL, for the statement that opens a session."""
        return exists().where(
            login_failures.c.tenant_id == tenant_id,
            login_failures.c.account == account_key(email),
            login_failures.c.window_started_at > self.since(now),
            login_failures.c.failures >= self.failures,
        )

    async def record(self, recorder: Recorder, account: Account, email: str, entry: AuditEntry) -> None:
        """Count one failure, in a new window if the last one is over, and record it."""
        insert = (postgresql if recorder.connection.dialect.name == "postgresql" else sqlite).insert
        user_id = account.user.id if account.user else None
        running = login_failures.c.window_started_at > self.since(entry.at)
        change = (
            insert(login_failures)
            .values(tenant_id=account.tenant_id, account=account_key(email), failures=1, window_started_at=entry.at)
            .on_conflict_do_update(
                index_elements=[login_failures.c.tenant_id, login_failures.c.account],
                set_={
                    "failures": case((running, login_failures.c.failures + 1), else_=1),
                    "window_started_at": case((running, login_failures.c.window_started_at), else_=entry.at),
                },
            )
            .returning(login_failures.c.tenant_id, literal(user_id, Uuid).label("user_id"))
        )
        await recorder.change(entry, change)


def account_key(email: str) -> str:
    """The address as the table knows it: what is typed into a login form need not be anybody's address."""
    return hashlib.sha256(email.encode()).hexdigest()
