"""The comparisons that the claim is made of: 4 times faster, 3 times fewer queries, 10 times the users."""

from collections.abc import Callable

from alerts import targets
from bench.figures import Target
from bench.load.requests import LOGIN, LOGOUT, REFRESH, SIGNUP, VALIDATE
from bench.parts.deployment import Accounted
from evidence.compare.deployments import BASELINE, OPTIMIZED
from evidence.compare.measure import Measured, held
from evidence.comparison import Comparison

Value = Callable[[Accounted], float]
_OPERATIONS = ((LOGIN, "logins"), (SIGNUP, "signups"), (REFRESH, "refreshes"), (LOGOUT, "logouts"))


def comparisons(measured: Measured, promised: targets.Targets) -> list[Comparison]:
    """Return every figure of both sides; those with a promise first."""
    gains = promised.over_baseline_min_factor
    mixed, operations = measured.mixed, measured.operations
    return [
        Comparison(
            "all requests, p95",
            "ms",
            *_pair(mixed, _latency(95)),
            target=Target("<", promised.auth_latency_p95_ms),
            gain=Target(">=", gains.auth_latency),
        ),
        Comparison(
            "validations, p95",
            "ms",
            *_pair(mixed, _latency(95, VALIDATE)),
            target=Target("<", promised.validation_latency_p95_ms),
            gain=Target(">=", gains.validation_latency),
        ),
        Comparison(
            "queries per request",
            "",
            *_pair(mixed, lambda each: each.queries_per_request),
            target=Target("<", promised.queries_per_auth_request_max),
            gain=Target(">=", gains.queries),
        ),
        Comparison(
            "cache hit rate",
            "%",
            *_pair(mixed, lambda each: each.hit_rate_percent),
            higher_is_better=True,
            target=Target(">", promised.cache_hit_rate_min_percent),
        ),
        _crowds(measured, promised),
        Comparison(
            "errors",
            "%",
            *_pair(mixed, lambda each: each.round.samples.error_percent()),
            target=Target("<", promised.error_rate_max_percent),
        ),
        Comparison("validations, p50", "ms", *_pair(mixed, _latency(50, VALIDATE))),
        Comparison("validations, p99", "ms", *_pair(mixed, _latency(99, VALIDATE))),
        *(Comparison(f"{name}, p95", "ms", *_pair(operations, _latency(95, kind))) for kind, name in _OPERATIONS),
        Comparison("CPU per request", "ms", *_pair(mixed, lambda each: each.round.total_cpu_us / 1000)),
        Comparison("processors kept busy", "", *_pair(mixed, _busy)),
    ]


def _pair(rounds: dict[str, list[Accounted]], value: Value) -> tuple[list[float], list[float]]:
    """Return a value of each round of the baseline, and of the optimized side."""
    return [value(each) for each in rounds[BASELINE]], [value(each) for each in rounds[OPTIMIZED]]


def _crowds(measured: Measured, promised: targets.Targets) -> Comparison:
    users = {profile: [held(steps, promised.error_rate_max_percent)] for profile, steps in measured.crowds.items()}
    return Comparison(
        f"users at a time below {promised.error_rate_max_percent:g} % errors",
        "",
        users[BASELINE],
        users[OPTIMIZED],
        higher_is_better=True,
        target=Target(">", promised.concurrent_users_min),
        gain=Target(">=", promised.over_baseline_min_factor.concurrent_users),
    )


def _latency(percent: float, kind: str | None = None) -> Value:
    return lambda each: each.round.samples.latency_ms(percent, kind)


def _busy(each: Accounted) -> float:
    """Return how many processors the deployment kept busy on average."""
    samples = each.round.samples
    return each.round.total_cpu_us * samples.count() / 1e6 / samples.seconds
