"""Which tenant asks, and which one is failed or refused?"""

from alerts.metrics import TENANT_REQUESTS
from alerts.targets import Targets
from dashboards.panels import PERCENT, REQUESTS_PER_SECOND, WINDOW, Limit, Panel, Series, graph, ranked

TENANTS = 'tenant=~"$tenant"'


def lines(targets: Targets) -> list[list[Panel]]:
    """Return traffic, failures and refusals of the tenants that the variable `tenant` picks."""
    answered = _requests(TENANTS)
    failed = _requests(f'{TENANTS},status=~"5.."')
    return [
        [
            ranked(
                graph(
                    "Requests by tenant",
                    "Requests per second of known users, of the chosen tenants that have any.",
                    [Series(f"{answered} > 0", "{{tenant}}")],
                    REQUESTS_PER_SECOND,
                )
            ),
            ranked(
                graph(
                    "Errors by tenant",
                    "Share of the requests of each tenant that were answered with a 5xx.",
                    # Before its first failure a tenant has no such series: that is none, not no answer.
                    [Series(f"100 * ({failed} or 0 * {answered}) / ({answered} > 0)", "{{tenant}}")],
                    PERCENT,
                    Limit(targets.error_rate_max_percent),
                )
            ),
            ranked(
                graph(
                    "Answers by tenant and status",
                    "Answers per second by tenant and status code: 403 lacks a permission, 429 is load that was shed.",
                    [Series(f"{_requests(TENANTS, 'tenant, status')} > 0", "{{tenant}} {{status}}")],
                    REQUESTS_PER_SECOND,
                )
            ),
        ]
    ]


def _requests(selector: str, by: str = "tenant") -> str:
    return f"sum by ({by}) (rate({TENANT_REQUESTS}{{{selector}}}[{WINDOW}]))"
