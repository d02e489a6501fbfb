"""What does a request cost: cache, database, hashing, audit trail? And what is left behind?"""

from alerts import promql
from alerts import recordings as record
from alerts.metrics import (
    API_ROUTES,
    CACHE_INVALIDATIONS,
    CACHE_REQUESTS,
    CACHE_STORE_FAILURES,
    DB_ROUND_TRIPS,
    REVOCATION,
)
from alerts.recordings import RATIO
from alerts.targets import Targets
from dashboards.panels import COUNT, MILLISECONDS, PERCENT, REQUESTS_PER_SECOND, WINDOW, Limit, Panel, Series, graph


def lines(targets: Targets) -> list[list[Panel]]:
    """Return the cache; revocation; the database, hashing and the audit trail; what requests wait for, and leave."""
    return [_cache(targets), _revocation(), _database(), _round_trips()]


def _cache(targets: Targets) -> list[Panel]:
    return [
        graph(
            "Hit rate",
            f"Cache hit rate of the stack over {RATIO}, and of each replica as it sees itself.",
            [
                Series(record.hit_rate_percent(RATIO), "stack"),
                Series("janua_cache_hit_rate_percent", "{{instance}}"),
            ],
            PERCENT,
            Limit(targets.cache_hit_rate_min_percent, keep_above=True),
        ),
        graph(
            "Cache look-ups",
            "Look-ups per second by tier, kind and result; an error means that the tier did not answer.",
            [
                Series(
                    f"sum by (tier, kind, result) (rate({CACHE_REQUESTS}[{WINDOW}]))",
                    "{{tier}} {{kind}} {{result}}",
                )
            ],
            REQUESTS_PER_SECOND,
        ),
        graph(
            "Queries per request",
            "Statements that read or wrote tables, per request of each auth route.",
            [Series(promql.queries_per_request(WINDOW, "path"), "{{path}}")],
            COUNT,
            Limit(targets.queries_per_auth_request_max),
        ),
    ]


def _revocation() -> list[Panel]:
    return [
        graph(
            "Time to revoke",
            "From the commit of a logout or a change until no replica accepts what it has in its cache any more.",
            [Series(promql.quantile(q, REVOCATION, "", WINDOW), f"p{100 * q:.0f}") for q in (0.5, 0.95, 0.99)],
            MILLISECONDS,
        ),
        graph(
            "Invalidations",
            "Per second: acknowledged by every replica, after the lease of one that did not answer had lapsed, or by "
            "raising the generation because Redis was out of reach.",
            [Series(f"sum by (outcome) (rate({CACHE_INVALIDATIONS}[{WINDOW}]))", "{{outcome}}")],
            REQUESTS_PER_SECOND,
        ),
        graph(
            "Failures of Redis",
            "Commands per second that Redis did not carry out, by reason.",
            [Series(f"sum by (reason) (rate({CACHE_STORE_FAILURES}[{WINDOW}]))", "{{reason}}")],
            REQUESTS_PER_SECOND,
        ),
    ]


def _database() -> list[Panel]:
    return [
        graph(
            "Database connections",
            "Connections of all pools by state, and how many the pools may open together.",
            [
                Series("sum by (state) (janua_db_pool_connections)", "{{state}}"),
                Series("sum(janua_db_pool_size)", "size"),
            ],
            COUNT,
        ),
        graph(
            "Password hashing",
            "Passwords hashed per second, waiting for a hashing thread, and refused because too many wait.",
            [
                Series(f"sum(rate(janua_hashes_total[{WINDOW}]))", "hashed per second"),
                Series("sum(janua_hash_queue_depth)", "waiting"),
                Series(f"sum(rate(janua_hash_rejections_total[{WINDOW}]))", "refused per second"),
            ],
            COUNT,
        ),
        graph(
            "Audit trail",
            "Rows committed to the audit trail per second, by event.",
            [
                Series(
                    f"sum by (event_type) (rate(janua_audit_rows_total[{WINDOW}]))",
                    "{{event_type}}",
                )
            ],
            REQUESTS_PER_SECOND,
        ),
    ]


def _round_trips() -> list[Panel]:
    return [
        graph(
            "Round trips per request",
            "Times that a request waits for PostgreSQL, by route: a statement, or a COMMIT of several.",
            [Series(promql.per_request(DB_ROUND_TRIPS, API_ROUTES, WINDOW, "path"), "{{path}}")],
            COUNT,
        ),
        graph(
            "Sessions cleaned up",
            "Sessions deleted per second because they cannot be used or refreshed any more, by replica.",
            [Series(f"sum by (instance) (rate(janua_sessions_cleaned_total[{WINDOW}]))", "{{instance}}")],
            COUNT,
        ),
    ]
