"""Do the targets hold?"""

from alerts import recordings as record
from alerts.recordings import LONG, RATIO
from alerts.rule_files import Links
from alerts.targets import Targets
from dashboards import uids
from dashboards.panels import COUNT, MILLISECONDS, PERCENT, Limit, Link, Panel, down, figure, linked

_CACHE = down("Cache", uids.CACHE)
_DATABASE = down("Database", uids.DATABASE)


def lines(targets: Targets, links: Links) -> list[list[Panel]]:
    """Return one figure per target, and how many alerts fire."""
    return [[*_latencies(targets, links), *_costs(targets, links), *_failures(targets, links)]]


def runbook(links: Links, alert: str) -> Link:
    """Return the link to the runbook of an alert."""
    return Link(f"Runbook {alert}", links.runbook(alert))


def _latencies(targets: Targets, links: Links) -> list[Panel]:
    return [
        linked(
            figure(
                "Auth p95",
                f"95 % of the auth requests of the last {LONG} were faster than this.",
                record.auth_p95(LONG),
                MILLISECONDS,
                Limit(targets.auth_latency_p95_ms),
            ),
            _DATABASE,
            down("Hosts", uids.HOSTS),
            runbook(links, "AuthLatencyHigh"),
        ),
        linked(
            figure(
                "Validation p95",
                f"95 % of the token validations of the last {LONG} were faster than this.",
                record.validation_p95(LONG),
                MILLISECONDS,
                Limit(targets.validation_latency_p95_ms),
            ),
            _CACHE,
            down("Hosts", uids.HOSTS),
            runbook(links, "ValidationLatencyHigh"),
        ),
    ]


def _costs(targets: Targets, links: Links) -> list[Panel]:
    return [
        linked(
            figure(
                "Queries per auth request",
                f"Statements that read or wrote tables, per auth request, over {RATIO}.",
                record.queries_per_request(RATIO),
                COUNT,
                Limit(targets.queries_per_auth_request_max),
            ),
            _DATABASE,
            runbook(links, "QueriesPerRequestHigh"),
        ),
        linked(
            figure(
                "Cache hit rate",
                f"Share of the cache look-ups of the last {RATIO} that the cache answered.",
                record.hit_rate_percent(RATIO),
                PERCENT,
                Limit(targets.cache_hit_rate_min_percent, keep_above=True),
            ),
            _CACHE,
            runbook(links, "CacheHitRateLow"),
        ),
    ]


def _failures(targets: Targets, links: Links) -> list[Panel]:
    return [
        linked(
            figure(
                "Error rate",
                f"Share of the API requests of the last {LONG} that the service failed with a 5xx.",
                record.error_percent(LONG),
                PERCENT,
                Limit(targets.error_rate_max_percent),
            ),
            down("Deployments", uids.DEPLOYMENTS),
            runbook(links, "ErrorRateHigh"),
        ),
        figure(
            "Alerts firing",
            "Pages and tickets that fire now; the watchdog, which always fires, is left out.",
            'count(ALERTS{alertstate="firing",severity=~"page|ticket"}) or vector(0)',
            COUNT,
            Limit(1),
        ),
    ]
