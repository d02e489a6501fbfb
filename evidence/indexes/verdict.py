"""Whether an index pays, from what was measured of it."""

from statistics import median

from alerts.targets import IndexSpeedups
from bench.figures import Target
from evidence.comparison import Comparison
from evidence.indexes.measure import Evidence

# Less than this is within what one execution differs from the next.
PAYS_FROM = 2.0
JUDGED_FROM_ROWS = 1_000_000


def speed_up(evidence: Evidence, limits: IndexSpeedups | None) -> Comparison:
    """Compare the query with and without any index that serves it: judged if it is its own and there are `limits`."""
    gain = Target(">=", limit_of(evidence.index.table, limits)) if limits and evidence.query.is_own else None
    return Comparison(name_of(evidence), "ms", evidence.times("bare"), evidence.times("present"), gain=gain)


def name_of(evidence: Evidence) -> str:
    """Return the index with the question that it answers: one may answer several."""
    return f"{evidence.index.name}: {evidence.query.question}"


def limit_of(table: str, limits: IndexSpeedups) -> float:
    """Return how many times faster a look-up in a table has to be."""
    return {"users": limits.users, "sessions": limits.sessions, "audit_logs": limits.audit}[table]


def added(evidence: Evidence) -> float:
    """Return how many times faster the index makes its query than the rest of the indexes do without it."""
    return median(evidence.times("absent")) / median(evidence.times("present"))


def verdict(evidence: Evidence) -> str:
    """Say whether the index pays, and why."""
    name = evidence.index.name
    stand_ins = [index for index in evidence.last("absent").indexes if index != name]
    if name not in evidence.last("present").indexes:
        used = ", ".join(evidence.last("present").indexes) or "no index"
        return f"does not pay: its query is answered by {used}"
    if added(evidence) < PAYS_FROM:
        return f"does not pay: without it {' and '.join(stand_ins) or 'a scan'} answers as fast"
    if not evidence.query.asked_by:
        return "fast, but no query of the service asks it: for operators only"
    return "pays"
