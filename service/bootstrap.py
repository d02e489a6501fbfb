"""Creates the first administrator: `python -m service.bootstrap`, after the migration, as often as one likes."""

import asyncio
import sys

from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry
from service.audit.trail import Trail
from service.auth.lockout import account_key
from service.auth.passwords import MAX_LENGTH, MIN_LENGTH, Passwords
from service.clock import SystemClock
from service.database.engine import Database
from service.database.scope import Scope
from service.ids import new_id
from service.observability.metrics import Metrics
from service.settings import Settings, SettingsError, load_settings, read_secret
from service.tenants.header import DEFAULT_TENANT
from service.users.models import User
from service.users.repository import EmailTakenError, NewUser, create_user, find_account

ADMIN_ROLE = "platform-admin"


async def bootstrap(settings: Settings) -> str:
    """Create the administrator unless there is one with that address; says what was done.

    Raises SettingsError if the address, the password or the default tenant is missing or the password too short.
    """
    email, password = settings.admin_email, read_secret(settings.admin_password_file)
    if email is None or password is None:
        raise SettingsError("JANUA_ADMIN_EMAIL and JANUA_ADMIN_PASSWORD_FILE must both be set")
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise SettingsError(f"JANUA_ADMIN_PASSWORD_FILE: must hold {MIN_LENGTH} to {MAX_LENGTH} characters")
    database = Database(settings)
    try:
        return await _ensure_administrator(settings, database, email, password)
    finally:
        await database.close()


async def _ensure_administrator(settings: Settings, database: Database, email: str, password: str) -> str:
    clock = SystemClock()
    account = await find_account(database, DEFAULT_TENANT, email, account_key(email), clock.now())
    if account is None:
        raise SettingsError(f"the database has no tenant {DEFAULT_TENANT!r}: run the migrations first")
    if account.user is not None:
        return f"administrator {email} exists already: left alone"
    metrics = Metrics(release="bootstrap", clock=clock)
    passwords = Passwords(settings, metrics)
    password_hash = await passwords.hash(password)
    passwords.close()
    now = clock.now()
    user = User(id=new_id(), email=email, name="Administrator", tenant=DEFAULT_TENANT, created_at=now)
    try:
        async with Trail(database, metrics).writing(Scope(account.tenant_id)) as recorder:
            entry = AuditEntry(AuditEvent.ADMIN_CREATED, now)
            await create_user(recorder, account.tenant_id, NewUser(user, password_hash, ADMIN_ROLE), entry)
    except EmailTakenError:
        return f"administrator {email} was created by someone else just now: left alone"
    return f"administrator {email} created"


def main() -> int:
    """Print what was done; 2 if the settings do not allow it."""
    try:
        message = asyncio.run(bootstrap(load_settings()))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{message}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
