"""How much of what may go wrong in a day has gone wrong?

A target of p95 below 50 ms allows 5 % of the requests to be slower; one of 1 % errors allows 1 % to fail. A budget is
what is left of that allowance: 100 % after a day without a miss, 0 % when it is used up, and less when it is overdrawn.
"""

from alerts import promql
from alerts.metrics import API_ROUTES, AUTH_ROUTES, REQUEST_LATENCY, VALIDATE_ROUTE
from alerts.rule_files import Links
from alerts.targets import Targets
from dashboards.panels import PERCENT, WINDOW, Limit, Panel, Series, figure, graph, linked
from dashboards.rows.figures import runbook

DAY = "1d"
# What a p95 leaves: five requests of a hundred.
SLOW_ALLOWED = 0.05
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
                _remaining(_slow(AUTH_ROUTES, targets.auth_latency_p95_ms, DAY), SLOW_ALLOWED),
                PERCENT,
                _LEFT,
            ),
            runbook(links, "AuthLatencyHigh"),
        ),
        linked(
            figure(
                "Validation latency budget",
                f"What is left of the {100 * SLOW_ALLOWED:g} % of a day's token validations that may take "
                f"{targets.validation_latency_p95_ms:g} ms or more.",
                _remaining(_slow(VALIDATE_ROUTE, targets.validation_latency_p95_ms, DAY), SLOW_ALLOWED),
                PERCENT,
                _LEFT,
            ),
            runbook(links, "ValidationLatencyHigh"),
        ),
        linked(
            figure(
                "Error budget",
                f"What is left of the {targets.error_rate_max_percent:g} % of a day's API requests that may fail.",
                _remaining(errors, targets.error_rate_max_percent / 100),
                PERCENT,
                _LEFT,
            ),
            runbook(links, "ErrorRateHigh"),
        ),
    ]


def _burning(targets: Targets) -> Panel:
    auth = _slow(AUTH_ROUTES, targets.auth_latency_p95_ms, WINDOW)
    validation = _slow(VALIDATE_ROUTE, targets.validation_latency_p95_ms, WINDOW)
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


def _slow(selector: str, limit_ms: float, window: str) -> str:
    """Return the share of requests that took longer than the target, which is a boundary of the histogram."""
    fast = f'sum(rate({REQUEST_LATENCY}_bucket{{{selector},le="{float(limit_ms)}"}}[{window}]))'
    return f"1 - {fast} / {promql.requests(selector, window)}"


def _remaining(used: str, allowed: float) -> str:
    return f"100 * (1 - ({used}) / {allowed})"
