"""The loader of the targets takes the committed file, and says what is wrong with any other."""

import json
from pathlib import Path

import pytest

from alerts.targets import TARGETS_FILE, TargetsError, load
from service.observability.metrics import LATENCY_BUCKETS


def changed(tmp_path: Path, **changes: object) -> Path:
    content = json.loads(TARGETS_FILE.read_text()) | changes
    path = tmp_path / "targets.json"
    path.write_text(json.dumps({key: value for key, value in content.items() if value != "absent"}))
    return path


def test_the_committed_targets_are_those_of_the_specification() -> None:
    targets = load()
    assert targets.auth_latency_p95_ms == 50
    assert targets.validation_latency_p95_ms == 5
    assert targets.queries_per_auth_request_max == 3
    assert targets.cache_hit_rate_min_percent == 80
    assert targets.error_rate_max_percent == 1
    assert targets.concurrent_users_min == 1000
    assert targets.index_speedup_min_factor.audit == 100
    assert targets.k6.http_req_duration_p99_ms == 1000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"auth_latency_p95_ms": "absent"}, "missing key auth_latency_p95_ms"),
        ({"latency": 5}, "unknown key latency"),
        ({"auth_latency_p95_ms": "50"}, "auth_latency_p95_ms must be a positive number, not '50'"),
        ({"auth_latency_p95_ms": True}, "auth_latency_p95_ms must be a positive number, not True"),
        ({"auth_latency_p95_ms": 0}, "must be a positive number, not 0"),
        ({"auth_latency_p95_ms": float("nan")}, "must be a positive number, not nan"),
        ({"auth_latency_p95_ms": float("inf")}, "must be a positive number, not inf"),
        ({"k6": 5}, r"k6\. must be a JSON object"),
        ({"k6": {}}, r"missing key k6\.http_req_duration_p95_ms"),
        ({"cache_hit_rate_min_percent": 100}, "cache_hit_rate_min_percent must be below 100"),
    ],
)
def test_a_figure_that_makes_no_sense_is_named(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(TargetsError, match=message):
        load(changed(tmp_path, **changes))


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_file_that_is_no_json_object_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "targets.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TargetsError, match=str(path)):
        load(path)


def test_every_latency_target_is_a_boundary_of_the_histograms() -> None:
    """Then "how many were faster" is a count, and no interpolation."""
    targets = load()
    assert {
        targets.auth_latency_p95_ms,
        targets.validation_latency_p95_ms,
        targets.auth_operation_latency_p95_ms,
    } <= set(LATENCY_BUCKETS)
