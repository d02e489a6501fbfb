"""Which release serves, and how does each do?"""

from alerts.metrics import API_ROUTES, AUTH_ROUTES, BUILD_INFO, REQUEST_LATENCY
from alerts.targets import Targets
from dashboards.panels import (
    COUNT,
    MILLISECONDS,
    PERCENT,
    REQUESTS_PER_SECOND,
    WINDOW,
    Limit,
    Panel,
    Series,
    graph,
    listing,
)

# Gives each series of a replica the release that runs there. An address that goes from one release to the next has two
# of them for some seconds, which would be one too many to join with: the newest counts.
_RELEASE = f"* on (instance) group_left (release) (topk by (instance) (1, timestamp({BUILD_INFO})) > bool 0)"


def lines(targets: Targets) -> list[list[Panel]]:
    """Return what runs, and traffic, errors and latency by release."""
    return [_running(), _compared(targets)]


def _running() -> list[Panel]:
    return [
        listing(
            "What runs",
            "Replicas by release, version of the project and version of Python.",
            f"count by (release, version, python) ({BUILD_INFO})",
            COUNT,
            {"release": "Release", "version": "Version", "python": "Python", "Value": "Replicas"},
        ),
        graph(
            "Replicas of each release",
            "A release comes up beside the one before, which goes when the edge has turned to the new one.",
            [Series(f"count by (release) ({BUILD_INFO})", "{{release}}")],
            COUNT,
        ),
    ]


def _compared(targets: Targets) -> list[Panel]:
    return [
        graph(
            "Requests by release",
            "API requests per second that each release answers: first the gate's, then everybody's.",
            [Series(_rate(API_ROUTES), "{{release}}")],
            REQUESTS_PER_SECOND,
        ),
        graph(
            "Errors by release",
            "Share of the API requests of each release that were answered with a 5xx.",
            [Series(_error_percent(), "{{release}}")],
            PERCENT,
            Limit(targets.error_rate_max_percent),
        ),
        graph(
            "Auth p95 by release",
            "95 % of the auth requests of each release were faster than this.",
            [Series(_p95(), "{{release}}")],
            MILLISECONDS,
            Limit(targets.auth_latency_p95_ms),
        ),
    ]


def _rate(selector: str) -> str:
    return f"sum by (release) (rate({REQUEST_LATENCY}_count{{{selector}}}[{WINDOW}]) {_RELEASE})"


def _error_percent() -> str:
    failed, answered = _rate(f'{API_ROUTES},status=~"5.."'), _rate(API_ROUTES)
    return f"100 * ({failed} or 0 * {answered}) / {answered}"


def _p95() -> str:
    buckets = f"rate({REQUEST_LATENCY}_bucket{{{AUTH_ROUTES}}}[{WINDOW}]) {_RELEASE}"
    return f"histogram_quantile(0.95, sum by (le, release) ({buckets}))"
