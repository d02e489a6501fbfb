"""Alerts on the targets: latency and errors by how fast their budgets are spent, ratios over a window with a floor."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from alerts import promql
from alerts import recordings as record
from alerts.alert import MILLISECONDS, PERCENT, Alert, Severity
from alerts.burn import (
    ERRORS_FAST,
    LATENCY_FAST,
    PAGE_LONG,
    PAGE_SHORT,
    SLOW_BUDGET_PERCENT,
    SLOW_BURN,
    Burn,
)
from alerts.metrics import AUTH_OPERATION
from alerts.recordings import LONG, RATIO
from alerts.targets import Targets
from dashboards import uids

# Below these a ratio says more about chance than about the service.
REQUESTS_FLOOR = 50
CACHE_LOOKUPS_FLOOR = 100
# Of the target, below which the cache does not do its work any more.
_COLLAPSED = 0.5


def alerts(targets: Targets) -> list[Alert]:
    """Return the alerts on the targets."""
    return [*_latency(targets), *_operations(targets), *_errors(targets), *_ratios(targets)]


def _latency(targets: Targets) -> list[Alert]:
    return [
        *_budget(
            _Budget("AuthLatencyBudgetBurn", "AuthLatencyHigh", LATENCY_FAST, SLOW_BUDGET_PERCENT),
            (record.auth_slow_percent, record.auth_requests),
            _slow("auth requests", targets.auth_latency_p95_ms),
            ("PostgresDown", "RedisDown"),
        ),
        *_budget(
            _Budget("ValidationLatencyBudgetBurn", "ValidationLatencyHigh", LATENCY_FAST, SLOW_BUDGET_PERCENT),
            (record.validation_slow_percent, record.validations),
            _slow("token validations", targets.validation_latency_p95_ms),
            ("PostgresDown", "RedisDown"),
        ),
    ]


def _slow(requests: str, target_ms: float) -> str:
    return f"{{value}} of the {requests} take longer than {target_ms:g} ms, target at most {SLOW_BUDGET_PERCENT} %"


def _operations(targets: Targets) -> list[Alert]:
    p95 = promql.quantile(0.95, AUTH_OPERATION, "", LONG, "operation")
    count = f"sum by (operation) (increase({AUTH_OPERATION}_count[{LONG}]))"
    target = targets.auth_operation_latency_p95_ms
    return [
        Alert(
            name="AuthOperationSlow",
            severity=Severity.TICKET,
            expression=f"{p95} >= {target} and {count} >= {REQUESTS_FLOOR}",
            summary=f"p95 of the operation {{operation}} is {{value}}, target below {target} ms",
            figure=MILLISECONDS,
            pending="5m",
            explained_by=("PostgresDown", "RedisDown", "AuthLatencyBudgetBurn"),
            by_smoke=True,
        )
    ]


def _errors(targets: Targets) -> list[Alert]:
    percent = targets.error_rate_max_percent
    return _budget(
        _Budget("ErrorBudgetBurn", "ErrorRateHigh", ERRORS_FAST, percent),
        (record.error_percent, record.api_requests),
        f"{{value}} of the API requests fail, target below {percent} %",
        ("PostgresDown",),
    )


def _ratios(targets: Targets) -> list[Alert]:
    wanted, most = targets.cache_hit_rate_min_percent, targets.queries_per_auth_request_max
    collapsed = _COLLAPSED * wanted
    windows = " and ".join(f"{record.hit_rate_percent(window)} < {collapsed:g}" for window in (PAGE_LONG, PAGE_SHORT))
    return [
        Alert(
            name="CacheHitRateCollapsed",
            severity=Severity.PAGE,
            expression=f"{windows} and {record.cache_lookups(PAGE_LONG)} >= {CACHE_LOOKUPS_FLOOR}",
            summary=f"cache hit rate is {{value}}, target above {wanted} %: the database does the work of the cache",
            figure=PERCENT,
            dashboard=uids.CACHE,
            # Without it no copy can be proven to be fresh, and all look-ups fail.
            explained_by=("PostgresDown", "RedisDown"),
            by_smoke=True,
        ),
        Alert(
            name="CacheHitRateLow",
            severity=Severity.TICKET,
            expression=f"{record.hit_rate_percent(RATIO)} <= {wanted}"
            f" and {record.cache_lookups(RATIO)} >= {CACHE_LOOKUPS_FLOOR}",
            summary=f"cache hit rate is {{value}}, target above {wanted} %",
            figure=PERCENT,
            pending="5m",
            dashboard=uids.CACHE,
            explained_by=("PostgresDown", "RedisDown", "CacheHitRateCollapsed"),
            by_smoke=True,
        ),
        Alert(
            name="QueriesPerRequestHigh",
            severity=Severity.TICKET,
            expression=f"{record.queries_per_request(RATIO)} >= {most}"
            f" and {record.auth_requests(RATIO)} >= {REQUESTS_FLOOR}",
            summary=f"an auth request costs {{value}} database queries, target below {most}",
            figure='{{ $value | printf "%.1f" }}',
            pending="5m",
            dashboard=uids.DATABASE,
            explained_by=("PostgresDown", "RedisDown"),
            by_smoke=True,
        ),
    ]


@dataclass(frozen=True)
class _Budget:
    """What may go wrong, in percent; the names of its page and of its ticket, and what is too fast for the page."""

    page: str
    ticket: str
    fast: Burn
    percent: float


def _budget(
    budget: _Budget, spent: tuple[Callable[[str], str], Callable[[str], str]], summary: str, causes: tuple[str, ...]
) -> list[Alert]:
    """Return the page, and the ticket that it explains; `spent` name the share that went wrong, and of how many."""
    page = Alert(
        name=budget.page,
        severity=Severity.PAGE,
        expression=_burning(budget.fast, *spent, budget.percent),
        summary=summary,
        figure=PERCENT,
        explained_by=causes,
        by_smoke=True,
    )
    ticket = replace(
        page,
        name=budget.ticket,
        severity=Severity.TICKET,
        expression=_burning(SLOW_BURN, *spent, budget.percent),
        explained_by=(*causes, budget.page),
    )
    return [page, ticket]


def _burning(burn: Burn, percent: Callable[[str], str], requests: Callable[[str], str], budget_percent: float) -> str:
    """Demand that both windows spend the budget too fast, with enough requests in the long one; its figure is shown."""
    limit = f"{burn.rate * budget_percent:g}"
    return (
        f"{percent(burn.long)} >= {limit} and {percent(burn.short)} >= {limit}"
        f" and {requests(burn.long)} >= {REQUESTS_FLOOR}"
    )
