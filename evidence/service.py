"""What the service itself counted in a run, as figures of a report, against its targets."""

import json
import math

from alerts.metrics import BUILD_INFO
from alerts.targets import Targets
from bench.arithmetic import spread
from bench.figures import Target
from evidence.report.document import Figure
from loadtest.gate.candidates import Candidates
from loadtest.gate.observation import observe, wait_for_scrapes
from loadtest.gate.prometheus import Prometheus

# More than the longest interval between two scrapes that a stack is given.
_PATIENCE_SECONDS = 70


def figures(prometheus: Prometheus, release: str, started_at: float, ended_at: float, targets: Targets) -> list[Figure]:
    """Return the figures of all replicas of a release between two moments (Unix seconds). Raises PrometheusError."""
    replicas = prometheus.query(f"{BUILD_INFO}{{release={json.dumps(release)}}}", ended_at)
    candidates = Candidates(release, tuple(sample.labels["instance"] for sample in replicas))
    at = wait_for_scrapes(prometheus, candidates, ended_at, _PATIENCE_SECONDS)
    found = observe(prometheus, candidates, started_at=started_at, at=at).figures
    return [
        _figure("auth requests, p95", found.auth_p95_ms, "ms", Target("<", targets.auth_latency_p95_ms)),
        _figure("validations, p95", found.validation_p95_ms, "ms", Target("<", targets.validation_latency_p95_ms)),
        _figure("errors", 100 * found.error_rate, "%", Target("<", targets.error_rate_max_percent)),
        _figure("cache hit rate", found.hit_rate_percent, "%", Target(">", targets.cache_hit_rate_min_percent)),
        _figure(
            "queries per auth request",
            found.queries_per_auth_request,
            "",
            Target("<", targets.queries_per_auth_request_max),
        ),
    ]


def _figure(name: str, value: float, unit: str, target: Target) -> Figure:
    promised = f"{target} {unit}".rstrip()
    if math.isnan(value):
        return Figure(f"service: {name}", promised, ["no data"], holds=False, unit=unit)
    return Figure(
        f"service: {name}", promised, [f"{value:,.2f} {unit}".rstrip()], target.holds(spread([value])), value, unit
    )
