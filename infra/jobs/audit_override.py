"""Writes into the audit trail of the default tenant that a release serves although the gate refuses it.

Environment: RELEASE, VERDICT (the gate's, as JSON: `verdict`, `override`, `reasons`), and the database as its owner.
"""

import json
import os
import sys
from datetime import UTC, datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import SQLAlchemyError

from service.audit.events import AuditEvent
from service.database.engine import brief_connection
from service.database.tables import audit_logs, tenants
from service.ids import new_id
from service.settings import SettingsError, load_settings
from service.tenants.header import DEFAULT_TENANT


def main() -> int:
    """Write the row, if the verdict is an override; 1 if that is not possible: nothing unaudited serves."""
    release, verdict = os.environ["RELEASE"], json.loads(os.environ["VERDICT"])
    if verdict["verdict"] != "override":
        print("the gate has passed the release by itself: nothing to audit")
        return 0
    try:
        with brief_connection(load_settings()) as connection:
            tenant = connection.execute(select(tenants.c.id).where(tenants.c.slug == DEFAULT_TENANT)).scalar_one()
            row = {
                "id": new_id(),
                "tenant_id": tenant,
                "event_type": AuditEvent.GATE_OVERRIDDEN,
                "created_at": datetime.now(UTC),
                "details": {"release": release, "reason": verdict["override"], "refused_for": verdict["reasons"]},
            }
            connection.execute(insert(audit_logs).values(row))
    except (SettingsError, SQLAlchemyError) as error:
        print(f"the override could not be audited: {error}", file=sys.stderr)
        return 1
    print(f"audited: the gate was overridden for release {release}: {verdict['override']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
