"""The sections of every report of a run on a stack: the run over time, what it set off, what is known beside it."""

from dashboards import uids
from dashboards.pictures.ask import Span
from evidence.indexes import latest as indexes
from evidence.report.alerts import alerts
from evidence.report.document import Section
from evidence.report.panels import boards, chosen

_PANELS = (
    (uids.OVERVIEW, "Latency"),
    (uids.OVERVIEW, "Validation latency"),
    (uids.OVERVIEW, "Requests"),
    (uids.OVERVIEW, "Errors"),
    (uids.CACHE, "Hit rate"),
    (uids.DATABASE, "Queries per request"),
    (uids.HOSTS, "Processor time by part"),
    (uids.DATABASE, "Connection pools"),
)


def sections(span: Span) -> list[Section]:
    """Return the run over time, its alerts and every dashboard over `span`; OSError if Prometheus does not answer."""
    shown = boards(span)
    return [
        Section("The run over time", pictures=chosen(shown, _PANELS)),
        Section("Alerts", tables=[alerts(span)]),
        indexes.section(),
        *shown.values(),
    ]
