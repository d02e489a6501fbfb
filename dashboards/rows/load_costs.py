"""What does the load cost the service?"""

from alerts import promql
from alerts.targets import Targets
from dashboards import uids
from dashboards.panels import COUNT, PERCENT, WINDOW, Limit, Panel, Series, down, graph, linked
from dashboards.rows.containers import PROCESSOR_TIME
from dashboards.rows.host import BUSY


def lines(targets: Targets) -> list[list[Panel]]:
    """Return what the cache keeps from PostgreSQL, what reaches it, and where the processors' time goes."""
    return [
        [
            linked(
                graph(
                    "Cache hit rate",
                    "Share of the cache look-ups that the cache answers.",
                    [Series(f"100 * {promql.cache_hit_ratio(WINDOW)}", "stack")],
                    PERCENT,
                    Limit(targets.cache_hit_rate_min_percent, keep_above=True),
                ),
                down("Cache", uids.CACHE),
            ),
            linked(
                graph(
                    "Queries per auth request",
                    "Statements that read or write tables, per auth request.",
                    [Series(promql.queries_per_request(WINDOW), "queries")],
                    COUNT,
                    Limit(targets.queries_per_auth_request_max),
                ),
                down("Database", uids.DATABASE),
            ),
            linked(
                graph(
                    "Processor time",
                    "Share of one processor that each part uses, and of all processors that is in use: the rest of "
                    "that is k6's, where it runs on the same machine.",
                    [Series(PROCESSOR_TIME, "{{part}}"), Series(BUSY, "all processors")],
                    PERCENT,
                ),
                down("Hosts", uids.HOSTS),
            ),
        ]
    ]
