"""Each check of the gate goes red by itself, and by nothing else."""

import math
from dataclasses import replace

import pytest

from alerts import targets
from loadtest.gate.k6_run import Summary
from loadtest.gate.observation import Candidate, Figures, Observation
from loadtest.gate.verdict import judge

TARGETS = targets.load()
SUMMARY = Summary(started_at=100, ended_at=130, api_requests=240, thresholds_failed=(), content={})
FIRST = Candidate("10.0.0.1:8000", scraped_at=133, requests_before=0, requests_after=120)
SECOND = replace(FIRST, instance="10.0.0.2:8000")
FIGURES = Figures(auth_p95_ms=40, validation_p95_ms=2, error_rate=0, hit_rate_percent=95, queries_per_auth_request=0.5)
SEEN = Observation((FIRST, SECOND), FIGURES)


def refused(
    *,
    exit_code: int = 0,
    summary: Summary = SUMMARY,
    seen: Observation | None = SEEN,
    replicas: int = 2,
    bind: bool = True,
) -> list[str]:
    checks = judge(exit_code, summary, seen, replicas, TARGETS, bind=bind)
    return [check.name for check in checks if not (check.good or check.tolerable)]


def observed(*candidates: Candidate, **figures: float) -> Observation:
    return Observation(candidates or SEEN.candidates, replace(FIGURES, **figures))


def test_a_good_release_passes_every_check() -> None:
    assert refused() == []


def test_k6_that_failed_is_believed() -> None:
    assert refused(exit_code=99) == ["k6 exit code"]
    assert refused(summary=replace(SUMMARY, thresholds_failed=("errors rate<0.01",))) == ["k6 thresholds"]


def test_k6_that_sent_nothing_is_refused() -> None:
    idle = observed(replace(FIRST, requests_after=0), replace(SECOND, requests_after=0))
    assert refused(summary=replace(SUMMARY, api_requests=0), seen=idle) == [
        "k6 API requests",
        f"requests at {FIRST.instance}",
        f"requests at {SECOND.instance}",
    ]


def test_a_missing_candidate_is_noticed() -> None:
    alone = observed(replace(FIRST, requests_after=240))
    assert refused(seen=alone) == ["replicas of the release"]
    assert refused(replicas=3) == ["replicas of the release"]


def test_a_candidate_that_nobody_asked_proves_nothing() -> None:
    seen = observed(replace(FIRST, requests_after=240), replace(SECOND, requests_after=0))
    assert refused(seen=seen) == [f"requests at {SECOND.instance}"]


def test_a_scrape_from_before_the_end_proves_nothing() -> None:
    assert refused(seen=observed(FIRST, replace(SECOND, scraped_at=130.2))) == [f"scrape of {SECOND.instance}"]


@pytest.mark.parametrize("counted", [119, 121])
def test_fresh_candidates_have_to_count_what_k6_sent(counted: int) -> None:
    assert refused(seen=observed(FIRST, replace(SECOND, requests_after=counted))) == ["requests counted"]


def test_candidates_that_already_served_may_count_more_but_not_less() -> None:
    serving = [replace(each, requests_before=1000, requests_after=1120) for each in (FIRST, SECOND)]
    more = replace(serving[1], requests_after=1200)
    less = replace(serving[1], requests_after=1119)
    assert refused(seen=observed(*serving)) == []
    assert refused(seen=observed(serving[0], more)) == []
    assert refused(seen=observed(serving[0], less)) == ["requests counted"]


def test_targets_that_do_not_bind_refuse_nothing_but_everything_else_does() -> None:
    slow = observed(auth_p95_ms=9999, validation_p95_ms=9999, hit_rate_percent=0, queries_per_auth_request=9)
    assert refused(seen=slow, bind=False) == []
    assert refused(seen=slow, exit_code=99, replicas=3, bind=False) == ["k6 exit code", "replicas of the release"]
    checks = judge(0, SUMMARY, slow, 2, TARGETS, bind=False)
    assert len([check for check in checks if check.tolerable and not check.good]) == 4


def test_a_restarted_candidate_counts_from_zero() -> None:
    restarted = replace(SECOND, requests_before=1000, requests_after=120)
    assert refused(seen=observed(FIRST, restarted)) == []


@pytest.mark.parametrize(
    ("figure", "at_the_limit", "name"),
    [
        ("auth_p95_ms", TARGETS.auth_latency_p95_ms * TARGETS.gate_latency_headroom, "auth p95"),
        ("validation_p95_ms", TARGETS.validation_latency_p95_ms * TARGETS.gate_latency_headroom, "validation p95"),
        ("error_rate", TARGETS.error_rate_max_percent / 100, "error rate"),
        ("hit_rate_percent", TARGETS.cache_hit_rate_min_percent, "cache hit rate"),
        ("queries_per_auth_request", TARGETS.queries_per_auth_request_max, "queries per auth request"),
    ],
)
def test_a_figure_at_its_limit_or_without_data_is_refused(figure: str, at_the_limit: float, name: str) -> None:
    assert refused(seen=observed(**{figure: at_the_limit})) == [name]
    assert refused(seen=observed(**{figure: math.nan})) == [name]


def test_a_latency_between_its_target_and_the_headroom_is_a_warning() -> None:
    checks = judge(0, SUMMARY, observed(auth_p95_ms=TARGETS.auth_latency_p95_ms), 2, TARGETS)
    assert [check.name for check in checks if check.tolerable and not check.good] == ["auth p95"]
    assert refused(seen=observed(auth_p95_ms=TARGETS.auth_latency_p95_ms)) == []


def test_only_latencies_have_headroom() -> None:
    checks = judge(0, SUMMARY, SEEN, 2, TARGETS)
    assert {check.name for check in checks if check.tolerable} == {"auth p95", "validation p95"}


def test_a_refusal_says_what_was_found_and_what_was_wanted() -> None:
    checks = judge(0, SUMMARY, observed(auth_p95_ms=205), 2, TARGETS)
    assert [str(check) for check in checks if not check.good] == ["auth p95: 205.00 ms, wanted below 50 ms"]


def test_without_prometheus_only_k6_is_judged() -> None:
    assert [check.name for check in judge(0, SUMMARY, None, 2, TARGETS)] == [
        "k6 exit code",
        "k6 thresholds",
        "k6 API requests",
    ]
