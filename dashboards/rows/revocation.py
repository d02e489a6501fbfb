"""How long is a token that was revoked still accepted somewhere?"""

from alerts import promql
from alerts.metrics import CACHE_INVALIDATIONS, CACHE_STORE_FAILURES, REVOCATION
from dashboards.panels import MILLISECONDS, PER_SECOND, WINDOW, Panel, Series, graph


def lines() -> list[list[Panel]]:
    """Return the lag of revocations, how invalidations took effect, and what Redis did not carry out."""
    return [
        [
            graph(
                "Time to revoke",
                "From the commit of a logout or a change until no replica accepts what it has in its cache any more.",
                [
                    Series(promql.quantile(q, REVOCATION, "", WINDOW), f"p{100 * q:.0f}", exemplars=True)
                    for q in (0.5, 0.95, 0.99)
                ],
                MILLISECONDS,
            ),
            graph(
                "Invalidations",
                "Per second: acknowledged by every replica, after the lease of one that did not answer had lapsed, or "
                "by raising the generation because Redis was out of reach.",
                [Series(f"sum by (outcome) (rate({CACHE_INVALIDATIONS}[{WINDOW}]))", "{{outcome}}")],
                PER_SECOND,
            ),
            graph(
                "Failures of Redis",
                "Commands per second that Redis did not carry out, by reason.",
                [Series(f"sum by (reason) (rate({CACHE_STORE_FAILURES}[{WINDOW}]))", "{{reason}}")],
                PER_SECOND,
            ),
        ]
    ]
