"""What k6 measured in a run, as figures of a report, against its thresholds."""

from collections.abc import Iterator, Mapping
from typing import Any

from alerts.targets import Targets
from evidence.report.document import Figure

_NAMES = {
    "latency_ms": "requests",
    "signup_ms": "signups",
    "login_ms": "logins",
    "token_validation_ms": "validations",
}


def figures(summary: Mapping[str, Any], targets: Targets) -> list[Figure]:
    """Return the figures of a run: `summary` is the content of its summary.json."""
    return [*_latencies(summary, targets), *_errors(summary, targets), *_counts(summary)]


def _latencies(summary: Mapping[str, Any], targets: Targets) -> Iterator[Figure]:
    k6 = targets.k6
    limits = {
        ("latency_ms", "p50"): None,
        ("latency_ms", "p95"): k6.http_req_duration_p95_ms,
        ("latency_ms", "p99"): k6.http_req_duration_p99_ms,
        ("signup_ms", "p95"): k6.signup_latency_p95_ms,
        ("login_ms", "p95"): k6.login_latency_p95_ms,
        ("token_validation_ms", "p95"): k6.token_validation_latency_p95_ms,
    }
    for (key, percentile), limit in limits.items():
        yield _below(f"k6: {_NAMES[key]}, {percentile}", summary[key].get(percentile), limit, "ms")


def _errors(summary: Mapping[str, Any], targets: Targets) -> Iterator[Figure]:
    rate = summary["error_rate"]
    yield _below("k6: errors", None if rate is None else 100 * rate, targets.error_rate_max_percent, "%")
    yield _below("k6: iterations that could not begin", float(summary["dropped_iterations"]), 1, "")


def _counts(summary: Mapping[str, Any]) -> Iterator[Figure]:
    seconds = summary["ended_at"] - summary["started_at"]
    yield Figure("k6: API requests", "", [f"{summary['api_requests']:,}"], trend=summary["api_requests"])
    yield Figure("k6: API requests a second", "", [f"{summary['api_requests'] / seconds:.1f}"], unit="1/s")
    yield Figure("k6: refused with 429", "", [f"{summary['shed']:,}"], trend=summary["shed"])
    yield Figure("k6: iterations", "", [f"{summary['iterations']:,}"], trend=summary["iterations"])


def _below(name: str, value: float | None, limit: float | None, unit: str) -> Figure:
    """Return a figure that has to be below `limit`, if there is one; of no request at all nothing is known."""
    promised = f"below {limit:g} {unit}".rstrip() if limit is not None else ""
    found = "no requests" if value is None else f"{value:,.2f} {unit}".rstrip()
    holds = None if limit is None or value is None else value < limit
    return Figure(name, promised, [found], holds, value, unit)
