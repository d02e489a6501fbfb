"""At most so many wrong passwords for an account in a window of time, counted in the database.

The count decides when a login is concluded, not when it begins: a right password opens a session only while
fewer failures are committed than are allowed. However many guesses are sent at once, to however many replicas,
no more than that many of them can have failed before one is believed. Addresses without a user are counted
alike, so that neither time nor answer tells them apart. A success does not reset the count: it would give
somebody who guesses ten more tries each time that the owner logs in.

Failures of logins count for the address. Who has a stolen token can change that, so they follow the user to another
one. Failures of a change of password, which such a thief may try as well, count for the user, whatever the address.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    FromClause,
    Insert,
    Integer,
    String,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.audit.repository import AuditEntry, Dependent, RecordedChange
from service.audit.trail import Trail
from service.database.scope import Scope
from service.database.tables import login_failures, users
from service.database.types import UtcDateTime, Values
from service.users.repository import Account

_Insert = Callable[[Table], postgresql.Insert | sqlite.Insert]


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

    def condition(self, key: str, now: datetime) -> Values:
        """The values with which `LOCKED` says the same as SQL, of what failures are counted for."""
        return {"lock_account": key, "lock_since": self.since(now), "lock_failures": self.failures}

    async def record(self, trail: Trail, account: Account, key: str, entry: AuditEntry) -> None:
        """Count one failure of an account for a key, in a new window if the last one is over, and record it."""
        values = {
            "failed_tenant_id": account.tenant_id,
            "failed_account": key,
            "failed_user_id": account.user.id if account.user else None,
            "failed_at": entry.at,
            "failed_since": self.since(entry.at),
        }
        await trail.change(Scope(account.tenant_id), entry, _FAILURES[trail.database.dialect], values)

    def carried_over(self, before: str, after: str, at: datetime, dialect: str) -> Dependent:
        """What follows the change of an address: the failures of the present window count for the new one as well."""
        keys, since = (account_key(before), account_key(after)), self.since(at)
        return lambda whom: _carried_over(_INSERTS[dialect], whom, keys, since)


def account_key(email: str) -> str:
    """The address as the table knows it: what is typed into a login form need not be anybody's address."""
    return _digest(email)


def user_key(user_id: UUID) -> str:
    """A user as the table knows it."""
    return _digest(str(user_id))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _carried_over(insert: _Insert, whom: FromClause, keys: tuple[str, str], since: datetime) -> Insert:
    """Of two windows that have not ended the new address has the later one, and the larger count."""
    before, after = keys
    row, running = login_failures.c, login_failures.c.window_started_at > since
    own = row.tenant_id == whom.c.tenant_id, row.account == before, running
    carried = select(row.tenant_id, literal(after, String), row.failures, row.window_started_at).where(*own)
    change = insert(login_failures).from_select([*row.keys()], carried)
    larger = {
        column.name: case(
            (and_(running, column > change.excluded[column.name]), column), else_=change.excluded[column.name]
        )
        for column in (row.failures, row.window_started_at)
    }
    return change.on_conflict_do_update(index_elements=[row.tenant_id, row.account], set_=larger)


def _failure(insert: _Insert) -> RecordedChange:
    at = bindparam("failed_at", type_=UtcDateTime)
    running = login_failures.c.window_started_at > bindparam("failed_since", type_=UtcDateTime)
    first = {
        "tenant_id": bindparam("failed_tenant_id", type_=Uuid),
        "account": bindparam("failed_account", type_=String),
        "failures": 1,
        "window_started_at": at,
    }
    change = (
        insert(login_failures)
        .values(**first)
        .on_conflict_do_update(
            index_elements=[login_failures.c.tenant_id, login_failures.c.account],
            set_={
                "failures": case((running, login_failures.c.failures + 1), else_=1),
                "window_started_at": case((running, login_failures.c.window_started_at), else_=at),
            },
        )
        .returning(login_failures.c.tenant_id, bindparam("failed_user_id", type_=Uuid).label("user_id"))
    )
    return RecordedChange(change)


# Locked is who has so many failures in the present window; it goes into the statement that opens a session of a user.
LOCKED = exists().where(
    login_failures.c.tenant_id == users.c.tenant_id,
    login_failures.c.account == bindparam("lock_account", type_=String),
    login_failures.c.window_started_at > bindparam("lock_since", type_=UtcDateTime),
    login_failures.c.failures >= bindparam("lock_failures", type_=Integer),
)
_INSERTS: Mapping[str, _Insert] = {postgresql.dialect.name: postgresql.insert, sqlite.dialect.name: sqlite.insert}
_FAILURES = {dialect: _failure(insert) for dialect, insert in _INSERTS.items()}
