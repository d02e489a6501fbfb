"""Which route is slow, busy or failing? (rate, errors, duration)"""

from alerts import promql
from alerts.metrics import AUTH_OPERATION, REQUEST_LATENCY, VALIDATE_ROUTE
from alerts.targets import Targets
from dashboards import uids
from dashboards.panels import (
    IN_USE,
    MILLISECONDS,
    PERCENT,
    REQUESTS_PER_SECOND,
    WINDOW,
    Limit,
    Panel,
    Series,
    down,
    graph,
    linked,
    ranked,
)

ROUTES = 'path=~"$route"'


def lines(targets: Targets) -> list[list[Panel]]:
    """Return traffic and latency of the routes that the variable `route` picks."""
    return [_traffic(targets), _latency(targets)]


def _traffic(targets: Targets) -> list[Panel]:
    return [
        linked(
            graph(
                "Requests",
                "Requests per second on those of the chosen routes that have any.",
                [Series(f"{promql.requests(ROUTES, WINDOW, 'path')} > 0", "{{path}}")],
                REQUESTS_PER_SECOND,
            ),
            down("Load test", uids.LOAD),
        ),
        graph(
            "Answers by status",
            "Answers per second by status code: 429 is load that was shed, 5xx is failure.",
            [Series(promql.requests(ROUTES, WINDOW, "status"), "{{status}}")],
            REQUESTS_PER_SECOND,
        ),
        graph(
            "Errors",
            "Share of the requests of each route that were answered with a 5xx.",
            [Series(f"100 * {promql.error_ratio(ROUTES, WINDOW, 'path')} {IN_USE}", "{{path}}")],
            PERCENT,
            Limit(targets.error_rate_max_percent),
        ),
    ]


def _latency(targets: Targets) -> list[Panel]:
    quantiles = [
        Series(
            f"{promql.quantile(q, REQUEST_LATENCY, ROUTES, WINDOW, 'path')} {IN_USE}",
            f"p{100 * q:.0f} {{{{path}}}}",
            exemplars=True,
        )
        for q in (0.5, 0.95, 0.99)
    ]
    return [
        ranked(
            graph(
                "Latency",
                "Time from the first byte of a request to the last of its response, by route; a dot is a request that "
                "has a trace.",
                quantiles,
                MILLISECONDS,
                Limit(targets.auth_latency_p95_ms),
            )
        ),
        graph(
            "Validation latency",
            "p95 of token validations, the hot path.",
            [Series(promql.quantile(0.95, REQUEST_LATENCY, VALIDATE_ROUTE, WINDOW), "p95", exemplars=True)],
            MILLISECONDS,
            Limit(targets.validation_latency_p95_ms),
        ),
        graph(
            "Auth operations",
            "p95 of the operations themselves, without the rendering of their answers.",
            [
                Series(
                    promql.quantile(0.95, AUTH_OPERATION, "", WINDOW, "operation"), "p95 {{operation}}", exemplars=True
                )
            ],
            MILLISECONDS,
            Limit(targets.auth_operation_latency_p95_ms),
        ),
    ]
