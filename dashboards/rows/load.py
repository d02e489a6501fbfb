"""What does k6 see of a load test, and what does the service say of the same moment?

k6's percentiles and shares are of the whole run so far, the service's of the last moments; k6 sees the edge and the
way there as well.
"""

from alerts import promql
from alerts.metrics import (
    API_ROUTES,
    K6,
    K6_DROPPED,
    K6_DURATION,
    K6_ERRORS,
    K6_ITERATIONS,
    K6_REQUESTS,
    K6_SHED,
    K6_USERS,
    REQUEST_LATENCY,
)
from alerts.targets import Targets
from dashboards.panels import (
    COUNT,
    MILLISECONDS,
    PER_SECOND,
    PERCENT,
    REQUESTS_PER_SECOND,
    WINDOW,
    Limit,
    Panel,
    Series,
    figure,
    graph,
)

_SHED_ROUTES = f'{API_ROUTES},status="429"'


def lines(targets: Targets) -> list[list[Panel]]:
    """Return the figures of the run, then k6's and the service's side by side, then what k6 was doing."""
    operations = _operations(targets)
    return [
        [*(_figure(*operation) for operation in operations), *_counts(targets)],
        [_latency(*operation) for operation in operations],
        _traffic(targets),
        _run(),
    ]


def _operations(targets: Targets) -> list[tuple[str, str, str, float]]:
    """Return each operation that has a target of k6's: its title, k6's name, its route, and the target."""
    return [
        ("Signup", "signup", "signup", targets.k6.signup_latency_p95_ms),
        ("Login", "login", "login", targets.k6.login_latency_p95_ms),
        ("Validation", "token_validation", "validate", targets.k6.token_validation_latency_p95_ms),
    ]


def _figure(title: str, name: str, _route: str, target: float) -> Panel:
    return figure(
        f"{title} p95",
        f"95 % of what k6 asked of this kind was answered faster, over the whole run. Its target: {target:g} ms.",
        _p95(name),
        MILLISECONDS,
        Limit(target),
    )


def _latency(title: str, name: str, route: str, target: float) -> Panel:
    service = promql.quantile(0.95, REQUEST_LATENCY, f'path="/api/v1/auth/{route}"', WINDOW)
    return graph(
        f"{title} latency",
        "p95 as k6 has seen it since the run began, and as the service sees it now; a dot is a request that has a "
        "trace.",
        [Series(_p95(name), "k6"), Series(service, "service", exemplars=True)],
        MILLISECONDS,
        Limit(target),
    )


def _counts(targets: Targets) -> list[Panel]:
    return [
        figure(
            "Errors",
            "Share of the requests that were not answered as they must be, of the operation with the most, over the "
            "whole run; what was shed is none.",
            f"100 * max({K6_ERRORS})",
            PERCENT,
            Limit(targets.error_rate_max_percent),
        ),
        figure(
            "Shed",
            "Signups and logins that were refused with a 429 because the service could not hash them in time.",
            _or_none(f"sum({K6_SHED})"),
            COUNT,
        ),
        figure(
            "Dropped iterations",
            "Iterations that were due and never began, because no virtual user was free: the rate was not held.",
            _or_none(f"sum({K6_DROPPED})"),
            COUNT,
            Limit(1),
        ),
    ]


def _traffic(targets: Targets) -> list[Panel]:
    answered = promql.requests(API_ROUTES, WINDOW)
    return [
        graph(
            "Throughput",
            "API requests per second that k6 sends, by operation, and that the service answers, whoever asks.",
            [
                Series(f'sum by (name) (rate({K6_REQUESTS}{{kind="api"}}[{WINDOW}]))', "k6 {{name}}"),
                Series(answered, "service"),
            ],
            REQUESTS_PER_SECOND,
        ),
        graph(
            "Error rate",
            "Share of the requests that k6 got no good answer to since the run began, by operation, and of those that "
            "the service fails with a 5xx now.",
            [
                Series(f"100 * max by (name) ({K6_ERRORS})", "k6 {{name}}"),
                Series(f"100 * {promql.error_ratio(API_ROUTES, WINDOW)}", "service"),
            ],
            PERCENT,
            Limit(targets.error_rate_max_percent),
        ),
        graph(
            "Shed load",
            "Answers per second with a 429: as k6 allows for them under stress, by operation, and as the service gives "
            "them.",
            [
                Series(f"sum by (name) (rate({K6_SHED}[{WINDOW}]))", "k6 {{name}}"),
                # No series is no 429.
                Series(f"{promql.requests(_SHED_ROUTES, WINDOW)} or 0 * {answered}", "service"),
            ],
            REQUESTS_PER_SECOND,
        ),
    ]


def _run() -> list[Panel]:
    return [
        graph(
            "Virtual users",
            "Users that k6 has at work.",
            [Series(f"max({K6_USERS})", "users")],
            COUNT,
        ),
        graph(
            "Iterations",
            "Journeys per second that ended, by profile, and that were dropped because no virtual user was free.",
            [
                Series(f"sum by (scenario) (rate({K6_ITERATIONS}[{WINDOW}]))", "{{scenario}}"),
                Series(f"sum by (scenario) (rate({K6_DROPPED}[{WINDOW}]))", "dropped {{scenario}}"),
            ],
            PER_SECOND,
        ),
        graph(
            "Percentiles at the client",
            "What k6 has seen of each operation since the run began; of answers with different statuses the slowest.",
            [
                Series(f'1000 * max by (name) ({K6_DURATION}_{p}{{kind="api"}})', f"{p} {{{{name}}}}")
                for p in ("p50", "p95", "p99")
            ],
            MILLISECONDS,
        ),
    ]


def _p95(name: str) -> str:
    return f"1000 * max({K6}{name}_latency_p95)"


def _or_none(count: str) -> str:
    """Return a count of k6's that is 0, instead of nothing, as long as nothing was counted while it runs."""
    return f"{count} or 0 * sum({K6_ITERATIONS})"
