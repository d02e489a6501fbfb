"""Which tenant asks, and which one is failed or refused?"""

from alerts import promql
from alerts.metrics import TENANT_REQUESTS
from alerts.targets import Targets
from dashboards.panels import IN_USE, PERCENT, REQUESTS_PER_SECOND, WINDOW, Limit, Panel, Series, graph, ranked

TENANTS = 'tenant=~"$tenant"'


def lines(targets: Targets) -> list[list[Panel]]:
    """Return traffic, failures and refusals of the tenants that the variable `tenant` picks."""
    errors = promql.error_ratio(TENANTS, WINDOW, "tenant", TENANT_REQUESTS)
    return [
        [
            ranked(
                graph(
                    "Requests by tenant",
                    "Requests per second of known users, of the chosen tenants that have any.",
                    [Series(f"{_requests('tenant')} > 0", "{{tenant}}")],
                    REQUESTS_PER_SECOND,
                )
            ),
            ranked(
                graph(
                    "Errors by tenant",
                    "Share of the requests of each tenant that were answered with a 5xx.",
                    [Series(f"100 * {errors} {IN_USE}", "{{tenant}}")],
                    PERCENT,
                    Limit(targets.error_rate_max_percent),
                )
            ),
            ranked(
                graph(
                    "Answers by tenant and status",
                    "Answers per second by tenant and status code: 403 lacks a permission, 429 is load that was shed.",
                    [Series(f"{_requests('tenant,status')} > 0", "{{tenant}} {{status}}")],
                    REQUESTS_PER_SECOND,
                )
            ),
        ]
    ]


def _requests(by: str) -> str:
    return promql.requests(TENANTS, WINDOW, by, TENANT_REQUESTS)
