"""The judgement on a release: no single witness is believed. Pure functions, no input and no output."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from alerts.targets import Targets
from loadtest.gate.k6_run import Summary
from loadtest.gate.observation import Figures, Observation, caught_up


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: its name, what was found, what was wanted, and whether the two agree.

    A check that does not agree refuses the release, unless it is `tolerable`: then it is a warning. `value` is what was
    found as a number, where it is one.
    """

    name: str
    found: str
    wanted: str
    good: bool
    tolerable: bool = False
    value: float | None = None

    def __str__(self) -> str:
        """Say in one sentence what is wrong."""
        return f"{self.name}: {self.found}, wanted {self.wanted}"


def judge(  # noqa: PLR0913 - each is a witness, or what they are held against
    exit_code: int,
    summary: Summary,
    seen: Observation | None,
    replicas: int,
    targets: Targets,
    *,
    bind: bool = True,
) -> tuple[Check, ...]:
    """Return every check of a run: k6's own words, then what Prometheus saw, the targets among it.

    `seen` is None where Prometheus could not be asked: then only k6 is judged, and the caller must refuse. A target
    that is missed is a reason to refuse only if the targets `bind`.
    """
    checks = [*_k6(exit_code, summary)]
    if seen is not None:
        checks += [*_candidates(summary, seen, replicas), _counts(summary, seen)]
        checks += [check if bind else replace(check, tolerable=True) for check in _targets(seen.figures, targets)]
    return tuple(checks)


def _k6(exit_code: int, summary: Summary) -> Iterator[Check]:
    failed = ", ".join(summary.thresholds_failed)
    yield Check("k6 exit code", str(exit_code), "0", exit_code == 0)
    yield Check("k6 thresholds", failed or "all hold", "all hold", not failed)
    yield Check("k6 API requests", str(summary.api_requests), "more than 0", summary.api_requests > 0)


def _candidates(summary: Summary, seen: Observation, replicas: int) -> Iterator[Check]:
    count = len(seen.candidates)
    yield Check("replicas of the release", str(count), str(replicas), count == replicas)
    for candidate in seen.candidates:
        late = candidate.scraped_at - summary.ended_at
        yield Check(
            f"scrape of {candidate.instance}",
            f"{late:+.1f} s",
            "after the run's end",
            caught_up(candidate.scraped_at, summary.ended_at),
        )
        yield Check(
            f"requests at {candidate.instance}",
            f"{candidate.requests:.0f}",
            "more than 0",
            candidate.requests > 0,
        )


def _counts(summary: Summary, seen: Observation) -> Check:
    """Compare the counts of requests.

    Candidates that were fresh when the run began answered k6 and nobody else: the counts are equal. Ones that
    already served may have answered others too.
    """
    fresh = all(candidate.requests_before == 0 for candidate in seen.candidates)
    sent, counted = summary.api_requests, seen.requests
    wanted = f"{sent}" if fresh else f"at least {sent}"
    return Check("requests counted", f"{counted:.0f}", wanted, counted == sent if fresh else counted >= sent)


def _targets(figures: Figures, targets: Targets) -> Iterator[Check]:
    headroom = targets.gate_latency_headroom
    yield _latency("auth p95", figures.auth_p95_ms, targets.auth_latency_p95_ms, headroom)
    yield _latency("validation p95", figures.validation_p95_ms, targets.validation_latency_p95_ms, headroom)
    yield _below("error rate", 100 * figures.error_rate, targets.error_rate_max_percent, "%")
    yield _below("queries per auth request", figures.queries_per_auth_request, targets.queries_per_auth_request_max)
    hit_rate, limit = figures.hit_rate_percent, targets.cache_hit_rate_min_percent
    yield Check("cache hit rate", _shown(hit_rate, "%"), f"above {limit} %", hit_rate > limit, value=_number(hit_rate))


def _latency(name: str, value: float, target: float, headroom: float) -> Check:
    """Compare with a target that may be missed by the factor `headroom`.

    Half a minute of one user, on a machine that is busy deploying, tells a broken release from a good one but not
    a latency from one that is a third higher. Alerts and load runs hold the target itself.
    """
    return replace(_below(name, value, target, "ms"), tolerable=value < headroom * target)


def _below(name: str, value: float, limit: float, unit: str = "") -> Check:
    # NaN is below nothing, so a figure that nobody counted fails.
    return Check(name, _shown(value, unit), f"below {limit} {unit}".rstrip(), value < limit, value=_number(value))


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _shown(value: float, unit: str) -> str:
    return "no data" if math.isnan(value) else f"{value:.2f} {unit}".rstrip()
