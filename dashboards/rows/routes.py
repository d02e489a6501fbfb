"""Which route is slow, busy or failing? (rate, errors, duration)"""

from alerts import promql
from alerts import recordings as record
from alerts.metrics import AUTH_OPERATION, REQUEST_LATENCY
from alerts.recordings import LONG
from alerts.targets import Targets
from dashboards.panels import MILLISECONDS, PERCENT, REQUESTS_PER_SECOND, WINDOW, Limit, Panel, Series, graph

_ROUTES = 'path=~"$route"'


def lines(targets: Targets) -> list[list[Panel]]:
    """Return traffic and latency of the routes that the variable `route` picks."""
    return [_traffic(targets), _latency(targets)]


def _traffic(targets: Targets) -> list[Panel]:
    return [
        graph(
            "Requests",
            "Requests per second on the chosen routes.",
            [Series(promql.requests(_ROUTES, WINDOW, "path"), "{{path}}")],
            REQUESTS_PER_SECOND,
        ),
        graph(
            "Answers by status",
            "Answers per second by status code: 429 is load that was shed, 5xx is failure.",
            [Series(promql.requests(_ROUTES, WINDOW, "status"), "{{status}}")],
            REQUESTS_PER_SECOND,
        ),
        graph(
            "Errors",
            "Share of the requests of each route that were answered with a 5xx.",
            [Series(f"100 * {promql.error_ratio(_ROUTES, WINDOW, 'path')}", "{{path}}")],
            PERCENT,
            Limit(targets.error_rate_max_percent),
        ),
    ]


def _latency(targets: Targets) -> list[Panel]:
    quantiles = [
        Series(promql.quantile(q, REQUEST_LATENCY, _ROUTES, WINDOW, "path"), f"p{100 * q:.0f} {{{{path}}}}")
        for q in (0.5, 0.95, 0.99)
    ]
    return [
        graph(
            "Latency",
            "Time from the first byte of a request to the last of its response, by route.",
            quantiles,
            MILLISECONDS,
            Limit(targets.auth_latency_p95_ms),
        ),
        graph(
            "Validation latency",
            "p95 of token validations, the hot path.",
            [Series(record.validation_p95(LONG), "p95")],
            MILLISECONDS,
            Limit(targets.validation_latency_p95_ms),
        ),
        graph(
            "Auth operations",
            "p95 of the operations themselves, without the rendering of their answers.",
            [Series(promql.quantile(0.95, AUTH_OPERATION, "", WINDOW, "operation"), "p95 {{operation}}")],
            MILLISECONDS,
            Limit(targets.auth_operation_latency_p95_ms),
        ),
    ]
