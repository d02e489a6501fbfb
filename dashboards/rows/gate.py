"""What did the gate measure before it let a release serve?

The figures are the release's smoke run as Prometheus counted it, one user for half a minute on a machine that has just
been deploying: they tell a broken release from a good one.
"""

from alerts.metrics import GATE_FIGURES, GATE_PASSED
from alerts.targets import Targets
from dashboards.panels import (
    COUNT,
    MILLISECONDS,
    PERCENT,
    Limit,
    Panel,
    Series,
    figure,
    graph,
    listing,
)


def lines(targets: Targets) -> list[list[Panel]]:
    """Return the last verdict with its figures, and how they changed from release to release."""
    return [_verdict(), _figures(targets), _history(targets)]


def _verdict() -> list[Panel]:
    return [
        listing(
            "Last verdict",
            "The release that the gate judged last: 1 if it may serve, 0 if it was refused.",
            f"max by (release) ({GATE_PASSED})",
            COUNT,
            {"release": "Release", "Value": "Passed"},
        ),
        graph(
            "Verdicts",
            "1 from the moment that the gate let a release pass, 0 from when it refused one, until it judged the next.",
            [Series(GATE_PASSED, "{{release}}")],
            COUNT,
        ),
    ]


def _figures(targets: Targets) -> list[Panel]:
    headroom = targets.gate_latency_headroom
    return [
        figure(
            "Gate: auth p95",
            f"p95 of the auth requests of the smoke run; the gate refuses from {headroom:g} times the target on.",
            _last("auth_p95_ms"),
            MILLISECONDS,
            Limit(targets.auth_latency_p95_ms * headroom),
        ),
        figure(
            "Gate: validation p95",
            f"p95 of the token validations of the smoke run; the gate refuses from {headroom:g} times the target on.",
            _last("validation_p95_ms"),
            MILLISECONDS,
            Limit(targets.validation_latency_p95_ms * headroom),
        ),
        figure(
            "Gate: errors",
            "Share of the smoke run's API requests that failed.",
            f"100 * {_last('error_rate')}",
            PERCENT,
            Limit(targets.error_rate_max_percent),
        ),
        figure(
            "Gate: hit rate",
            "Share of the smoke run's cache look-ups that the cache answered.",
            _last("hit_rate_percent"),
            PERCENT,
            Limit(targets.cache_hit_rate_min_percent, keep_above=True),
        ),
        figure(
            "Gate: queries per auth request",
            "Statements that read or wrote tables, per auth request of the smoke run.",
            _last("queries_per_auth_request"),
            COUNT,
            Limit(targets.queries_per_auth_request_max),
        ),
        figure(
            "Gate: requests",
            "API requests of the smoke run as Prometheus counted them.",
            _last("prometheus_requests"),
            COUNT,
        ),
    ]


def _history(targets: Targets) -> list[Panel]:
    return [
        graph(
            title,
            "From release to release; the dashed line is the target itself.",
            [Series(f'{GATE_FIGURES}{{figure="{name}"}}', "{{release}}")],
            MILLISECONDS,
            Limit(target),
        )
        for title, name, target in (
            ("Auth p95 at the gate", "auth_p95_ms", targets.auth_latency_p95_ms),
            ("Validation p95 at the gate", "validation_p95_ms", targets.validation_latency_p95_ms),
        )
    ]


def _last(name: str) -> str:
    return f'max({GATE_FIGURES}{{figure="{name}"}})'
