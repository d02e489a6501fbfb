"""How much of what may go wrong in a day has gone wrong?

A target of p95 below 50 ms allows 5 % of the requests to be slower; one of 1 % errors allows 1 % to fail. A budget is
what is left of that allowance: 100 % after a day without a miss, 0 % when it is used up, and less when it is overdrawn.
"""

from alerts import promql
from alerts.burn import SLOW_BUDGET_PERCENT
from alerts.metrics import API_ROUTES, AUTH_ROUTES, VALIDATE_ROUTE
from alerts.rule_files import Links
from alerts.targets import Targets
from dashboards.panels import PERCENT, WINDOW, Limit, Panel, Series, figure, graph, linked
from dashboards.rows.figures import runbook

DAY = "1d"
SLOW_ALLOWED = SLOW_BUDGET_PERCENT / 100
_LEFT = Limit(0, keep_above=True)


def lines(targets: Targets, links: Links) -> list[list[Panel]]:
    """Return what is left of each budget, and how fast each is being spent."""
    return [_left(targets, links), [_burning(targets)]]


def _left(targets: Targets, links: Links) -> list[Panel]:
    errors = promql.error_ratio(API_ROUTES, DAY)
    return [
        linked(
            figure(
                "Auth latency budget",
                f"What is left of the {100 * SLOW_ALLOWED:g} % of a day's auth requests that may take "
                f"{targets.auth_latency_p95_ms:g} ms or more.",
                _remaining(promql.slow_ratio(AUTH_ROUTES, targets.auth_latency_p95_ms, DAY), SLOW_ALLOWED),
                PERCENT,
                _LEFT,
            ),
            runbook(links, "AuthLatencyBudgetBurn"),
        ),
        linked(
            figure(
                "Validation latency budget",
                f"What is left of the {100 * SLOW_ALLOWED:g} % of a day's token validations that may take "
                f"{targets.validation_latency_p95_ms:g} ms or more.",
                _remaining(promql.slow_ratio(VALIDATE_ROUTE, targets.validation_latency_p95_ms, DAY), SLOW_ALLOWED),
                PERCENT,
                _LEFT,
            ),
            runbook(links, "ValidationLatencyBudgetBurn"),
        ),
        linked(
            figure(
                "Error budget",
                f"What is left of the {targets.error_rate_max_percent:g} % of a day's API requests that may fail.",
                _remaining(errors, targets.error_rate_max_percent / 100),
                PERCENT,
                _LEFT,
            ),
            runbook(links, "ErrorBudgetBurn"),
        ),
    ]


def _burning(targets: Targets) -> Panel:
    auth = promql.slow_ratio(AUTH_ROUTES, targets.auth_latency_p95_ms, WINDOW)
    validation = promql.slow_ratio(VALIDATE_ROUTE, targets.validation_latency_p95_ms, WINDOW)
    errors = promql.error_ratio(API_ROUTES, WINDOW)
    return graph(
        "Budget spent",
        "How much of what each target allows is being used; above 100 % for a day, the budget is gone.",
        [
            Series(f"100 * ({auth}) / {SLOW_ALLOWED}", "slow auth requests"),
            Series(f"100 * ({validation}) / {SLOW_ALLOWED}", "slow validations"),
            Series(f"100 * ({errors}) / {targets.error_rate_max_percent / 100}", "failed API requests"),
        ],
        PERCENT,
        Limit(100),
    )


def _remaining(used: str, allowed: float) -> str:
    return f"100 * (1 - ({used}) / {allowed})"
