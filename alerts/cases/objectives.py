"""Cases of latency, errors and ratios against their targets."""

from alerts.burn import SLOW_BUDGET_PERCENT
from alerts.cases.case import Case, Firing
from alerts.metrics import AUTH_OPERATION
from alerts.series import (
    LASTING,
    MINUTE,
    Series,
    each,
    each_until,
    every,
    histogram,
    latencies,
    lookups,
    queries,
    requests,
)
from alerts.targets import Targets

LOGIN = "/api/v1/auth/login"
VALIDATE = "/api/v1/auth/validate"
# When the long windows of pages and of tickets are full.
PAGED, TICKETED = "7m", "40m"
# What looks back for half an hour is given fewer samples, and this many a minute: promtool is slow.
RARELY, RARE_MINUTE = "30s", 2


def cases(targets: Targets) -> list[Case]:
    """Return these cases."""
    auth, validation = targets.auth_latency_p95_ms, targets.validation_latency_p95_ms
    return [
        _burns("AuthLatencyBudgetBurn", LOGIN, auth),
        _misses("AuthLatencyHigh", LOGIN, auth),
        _burns("ValidationLatencyBudgetBurn", VALIDATE, validation),
        _misses("ValidationLatencyHigh", VALIDATE, validation),
        _operation(targets),
        *_errors(),
        *_ratios(targets),
    ]


def _mixed(path: str, target_ms: float, slow: str, fast: str) -> Series:
    """Return requests of which some take longer than the target and some do not."""
    return {
        **latencies(path, (target_ms, 10_000), slow, "slow:8000"),
        **latencies(path, (target_ms / 10, target_ms), fast, "fast:8000"),
    }


def _burns(alert: str, path: str, target_ms: float) -> Case:
    return Case(
        alert=alert,
        at=PAGED,
        fires_on=_mixed(path, target_ms, each(4), each(6)),
        firing=(Firing("40.0 %"),),
        silent_on={
            "fast": _mixed(path, target_ms, each(0), each(10)),
            "a quarter is slow": _mixed(path, target_ms, each(2.5), each(7.5)),
            "four slow requests in five minutes": latencies(path, (target_ms, 10_000), every(15)),
            "slow until a minute ago": _mixed(path, target_ms, each_until(6 * MINUTE, 10), f"_x{6 * MINUTE} {each(1)}"),
            "a few slow after many fast": _mixed(
                path, target_ms, f"_x{int(6.8 * MINUTE)} {each(10)}", each_until(int(6.8 * MINUTE), 100)
            ),
        },
    )


def _misses(alert: str, path: str, target_ms: float) -> Case:
    over, under = SLOW_BUDGET_PERCENT + 1, SLOW_BUDGET_PERCENT - 1
    return Case(
        alert=alert,
        at=TICKETED,
        interval=RARELY,
        fires_on=_mixed(path, target_ms, each(over), each(100 - over)),
        firing=(Firing(f"{over:.1f} %"),),
        silent_on={
            "within the budget": _mixed(path, target_ms, each(under), each(100 - under)),
            "fast again since ten minutes": _mixed(path, target_ms, each_until(30 * RARE_MINUTE, 10), each(10)),
            "slow in the last minutes only": _mixed(path, target_ms, f"_x{39 * RARE_MINUTE} {each(10)}", each(10)),
            "hardly a request": latencies(path, (target_ms, 10_000), every(2)),
        },
    )


def _operation(targets: Targets) -> Case:
    target = targets.auth_operation_latency_p95_ms
    labels = {"job": "service", "instance": "a:8000", "operation": "login"}
    # The 95th percentile of what is spread from 1 to 21 times the target is 20 times the target.
    slow, fast = (target, 21 * target), (target / 2, target)
    return Case(
        alert="AuthOperationSlow",
        at="12m",
        fires_on=histogram(AUTH_OPERATION, labels, slow, each(10)),
        firing=(Firing(f"{20 * target:.1f} ms", {"operation": "login"}),),
        silent_on={
            "fast": histogram(AUTH_OPERATION, labels, fast, each(10)),
            "hardly a login": histogram(AUTH_OPERATION, labels, slow, every(15)),
        },
    )


def _errors() -> list[Case]:
    succeeded, failed, refused = requests(LOGIN, 200), requests(LOGIN, 503), requests(LOGIN, 422)
    return [
        Case(
            alert="ErrorBudgetBurn",
            at=PAGED,
            fires_on={succeeded: each(8), failed: each(2)},
            firing=(Firing("20.0 %"),),
            silent_on={
                "a tenth fails": {succeeded: each(9), failed: each(1)},
                "mistakes of clients": {succeeded: each(10), refused: each(10)},
                "four requests in five minutes": {failed: every(15)},
                "failing until a minute ago": {succeeded: each(8), failed: each_until(6 * MINUTE, 2)},
                "a failure just now": {succeeded: each(10), failed: f"0x{int(6.8 * MINUTE)} 3x{LASTING}"},
            },
        ),
        Case(
            alert="ErrorRateHigh",
            at=TICKETED,
            interval=RARELY,
            fires_on={succeeded: each(98), failed: each(2)},
            firing=(Firing("2.0 %"),),
            silent_on={
                "within the budget": {succeeded: each(199), failed: each(1)},
                "over since ten minutes": {succeeded: each(10), failed: each_until(30 * RARE_MINUTE, 10)},
                "mistakes of clients": {succeeded: each(10), refused: each(10)},
            },
        ),
    ]


def _ratios(targets: Targets) -> list[Case]:
    limit = targets.queries_per_auth_request_max
    return [
        Case(
            alert="CacheHitRateCollapsed",
            at=PAGED,
            fires_on=lookups(memory_hits=1, redis_hits=1, misses=7, errors=1),
            firing=(Firing("20.0 %"),),
            silent_on={
                "half of them hit": lookups(memory_hits=3, redis_hits=2, misses=5),
                "hardly a look-up": lookups(memory_hits=0, redis_hits=0, misses=0.5),
            },
        ),
        Case(
            alert="CacheHitRateLow",
            at="16m",
            fires_on=lookups(memory_hits=10, redis_hits=10, misses=15, errors=5),
            firing=(Firing("50.0 %"),),
            silent_on={
                "Redis answers what memory misses": lookups(memory_hits=10, redis_hits=26, misses=4),
                "memory answers while Redis does not": lookups(memory_hits=36, redis_hits=0, misses=0, errors=4),
                "hardly a look-up": lookups(memory_hits=0, redis_hits=0, misses=0.5),
            },
        ),
        Case(
            alert="QueriesPerRequestHigh",
            at="16m",
            fires_on={requests(LOGIN, 200): each(10), queries(LOGIN): each(10 * limit + 5)},
            firing=(Firing(f"{limit + 0.5:.1f}"),),
            silent_on={
                "within the target": {requests(LOGIN, 200): each(10), queries(LOGIN): each(10 * limit - 5)},
                "hardly a request": {requests(LOGIN, 200): every(15), queries(LOGIN): each(10)},
            },
        ),
    ]
