"""Do the targets hold?"""

from alerts import recordings as record
from alerts.recordings import LONG, RATIO
from alerts.targets import Targets
from dashboards.panels import COUNT, MILLISECONDS, PERCENT, Limit, Panel, figure


def lines(targets: Targets) -> list[list[Panel]]:
    """Return one figure per target, and how many alerts fire."""
    return [_figures(targets)]


def _figures(targets: Targets) -> list[Panel]:
    return [
        figure(
            "Auth p95",
            f"95 % of the auth requests of the last {LONG} were faster than this.",
            record.auth_p95(LONG),
            MILLISECONDS,
            Limit(targets.auth_latency_p95_ms),
        ),
        figure(
            "Validation p95",
            f"95 % of the token validations of the last {LONG} were faster than this.",
            record.validation_p95(LONG),
            MILLISECONDS,
            Limit(targets.validation_latency_p95_ms),
        ),
        figure(
            "Queries per auth request",
            f"Statements that read or wrote tables, per auth request, over {RATIO}.",
            record.queries_per_request(RATIO),
            COUNT,
            Limit(targets.queries_per_auth_request_max),
        ),
        figure(
            "Cache hit rate",
            f"Share of the cache look-ups of the last {RATIO} that the cache answered.",
            record.hit_rate_percent(RATIO),
            PERCENT,
            Limit(targets.cache_hit_rate_min_percent, keep_above=True),
        ),
        figure(
            "Error rate",
            f"Share of the API requests of the last {LONG} that the service failed with a 5xx.",
            record.error_percent(LONG),
            PERCENT,
            Limit(targets.error_rate_max_percent),
        ),
        figure(
            "Alerts firing",
            "Pages and tickets that fire now; the watchdog, which always fires, is left out.",
            'count(ALERTS{alertstate="firing",severity=~"page|ticket"}) or vector(0)',
            COUNT,
            Limit(1),
        ),
    ]
