"""What Prometheus saw of a run, at the candidates alone: raw counters, after the run minus before it.

Raw counters are exact; PromQL's rate() and increase() extrapolate to the borders of their window, so their
counts would not agree with those of k6.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from alerts.metrics import (
    API_ROUTES,
    AUTH_ROUTES,
    CACHE_HITS,
    CACHE_MISSES,
    CACHE_REQUESTS,
    DB_QUERIES,
    REQUEST_LATENCY,
    VALIDATE_ROUTE,
)
from loadtest.gate.candidates import Candidates
from loadtest.gate.histogram import quantile
from loadtest.gate.prometheus import Prometheus, PrometheusError

# A replica counts a request just after it was answered, so a scrape has to be a little younger than the run.
SETTLING_SECONDS = 0.5
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Candidate:
    """A replica: when it was last scraped (Unix time), its count of API requests before and after the run."""

    instance: str
    scraped_at: float
    requests_before: float
    requests_after: float

    @property
    def requests(self) -> float:
        """How many API requests it answered during the run."""
        return _growth(self.requests_before, self.requests_after)


@dataclass(frozen=True)
class Figures:
    """The run as the candidates' own metrics tell it; NaN where nothing was counted."""

    auth_p95_ms: float
    validation_p95_ms: float
    error_rate: float
    hit_rate_percent: float
    queries_per_auth_request: float


@dataclass(frozen=True)
class Observation:
    """The candidates that Prometheus knows, and what they did during the run."""

    candidates: tuple[Candidate, ...]
    figures: Figures

    @property
    def requests(self) -> float:
        """How many API requests all candidates answered during the run."""
        return sum(candidate.requests for candidate in self.candidates)


def wait_for_scrapes(
    prometheus: Prometheus,
    candidates: Candidates,
    ended_at: float,
    patience_seconds: float,
) -> float:
    """Wait until every candidate was scraped after the run's end, at most `patience_seconds`.

    Returns the Unix time to look at: whether it is good enough is for the judge to say. Raises
    PrometheusError if Prometheus does not answer when the patience is at its end.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        now, last = time.time(), time.monotonic() >= deadline
        try:
            scrapes = _scrapes(prometheus, candidates, now)
        except PrometheusError:
            if last:
                raise
            scrapes = {}
        complete = len(scrapes) == len(candidates.instances) and all(caught_up(at, ended_at) for at in scrapes.values())
        if complete or last:
            return now
        time.sleep(_POLL_SECONDS)


def caught_up(scraped_at: float, ended_at: float) -> bool:
    """Tell whether a scrape is late enough to have seen the whole run."""
    return scraped_at > ended_at + SETTLING_SECONDS


def observe(prometheus: Prometheus, candidates: Candidates, *, started_at: float, at: float) -> Observation:
    """Return what the candidates did between the Unix times `started_at` and `at`.

    Raises PrometheusError.
    """
    run = _Run(prometheus, candidates, started_at, at)
    answered = f"{REQUEST_LATENCY}_count{{{API_ROUTES}}}"
    before, after = run.snapshot(answered, started_at), run.snapshot(answered, at)
    seen = tuple(
        Candidate(instance, scraped_at, before.get((instance,), 0), after.get((instance,), 0))
        for instance, scraped_at in sorted(_scrapes(prometheus, candidates, at).items())
    )
    return Observation(seen, _figures(run))


@dataclass(frozen=True)
class _Run:
    prometheus: Prometheus
    candidates: Candidates
    started_at: float
    ended_at: float

    def snapshot(self, series: str, at: float, *by: str) -> dict[tuple[str, ...], float]:
        """Return the candidates' counters at one moment, by instance and the labels in `by`."""
        joined = f"{series} * on (instance) group_left () {self.candidates.build_info}"
        labels = ("instance", *by)
        samples = self.prometheus.query(f"sum by ({', '.join(labels)}) ({joined})", at)
        return {tuple(sample.labels[label] for label in labels): sample.value for sample in samples}

    def growth(self, series: str, *by: str) -> dict[tuple[str, ...], float]:
        """Return by how much the counters of all candidates together grew during the run, by `by`."""
        before = self.snapshot(series, self.started_at, *by)
        total: dict[tuple[str, ...], float] = {}
        for (instance, *rest), value in self.snapshot(series, self.ended_at, *by).items():
            key = tuple(rest)
            total[key] = total.get(key, 0) + _growth(before.get((instance, *rest), 0), value)
        return total

    def count(self, metric: str, selector: str) -> float:
        return sum(self.growth(f"{metric}{{{selector}}}").values())

    def p95(self, selector: str) -> float:
        buckets = self.growth(f"{REQUEST_LATENCY}_bucket{{{selector}}}", "le")
        return quantile(0.95, {float(le): count for (le,), count in buckets.items()}) if buckets else math.nan


def _figures(run: _Run) -> Figures:
    requests = f"{REQUEST_LATENCY}_count"
    hits = run.count(CACHE_REQUESTS, CACHE_HITS)
    return Figures(
        auth_p95_ms=run.p95(AUTH_ROUTES),
        validation_p95_ms=run.p95(VALIDATE_ROUTE),
        error_rate=_ratio(run.count(requests, f'{API_ROUTES},status=~"5.."'), run.count(requests, API_ROUTES)),
        hit_rate_percent=100 * _ratio(hits, hits + run.count(CACHE_REQUESTS, CACHE_MISSES)),
        queries_per_auth_request=_ratio(run.count(DB_QUERIES, AUTH_ROUTES), run.count(requests, AUTH_ROUTES)),
    )


def _scrapes(prometheus: Prometheus, candidates: Candidates, at: float) -> Mapping[str, float]:
    """Return when each live candidate was last scraped; Prometheus marks as stale what is gone."""
    samples = prometheus.query(f"timestamp({candidates.build_info})", at)
    return {sample.labels["instance"]: sample.value for sample in samples}


def _growth(before: float, after: float) -> float:
    """Return a counter's growth; a counter that fell was restarted, and has grown from 0 since."""
    return after - before if after >= before else after


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
