"""Which alerts fired during a run, as Prometheus remembers."""

from datetime import UTC, datetime

from dashboards.pictures.ask import Span
from evidence.report.document import Table

_COLUMNS = ("alert", "severity", "first seen", "last seen")


def alerts(span: Span) -> Table:
    """Return the alerts that fired within `span`, and from when to when they were seen; OSError without Prometheus."""
    found = span.query('max by (alertname, severity) (ALERTS{alertstate="firing",alertname!="Watchdog"})')
    rows = sorted(
        (line.labels["alertname"], line.labels.get("severity", ""), _clock(line.times[0]), _clock(line.times[-1]))
        for line in found
        if line.times
    )
    return Table("Alerts that fired", "", _COLUMNS, rows)


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"
