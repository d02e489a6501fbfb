"""The verdict as metrics, in a file that node_exporter reads."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtest.gate import exposition
from loadtest.gate.answer import Verdict
from loadtest.gate.observation import Candidate, Figures, Observation

SEEN = Observation(
    (Candidate("a:8000", 0, 0, 500),),
    Figures(
        auth_p95_ms=39.5,
        validation_p95_ms=float("nan"),
        error_rate=0.0,
        hit_rate_percent=99.5,
        queries_per_auth_request=1.0,
    ),
)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_figures_are_told_by_name_and_release_and_an_unknown_one_not_at_all() -> None:
    told = samples(exposition.metrics(Verdict(seen=SEEN), "0.1.0-abc", at=1_700_000_000.5))
    release = ("release", "0.1.0-abc")
    assert told[("janua_gate_passed", frozenset({release}))] == 1
    assert told[("janua_gate_judged_timestamp_seconds", frozenset({release, ("verdict", "pass")}))] == 1_700_000_000.5
    figures = {dict(labels)["figure"]: value for (name, labels), value in told.items() if name == "janua_gate_figure"}
    assert figures == {
        "prometheus_requests": 500,
        "auth_p95_ms": 39.5,
        "error_rate": 0,
        "hit_rate_percent": 99.5,
        "queries_per_auth_request": 1,
    }


def test_a_refusal_is_told_as_well() -> None:
    told = samples(exposition.metrics(Verdict(problems=("nobody answers",)), "r", at=1))
    assert told == {
        ("janua_gate_passed", frozenset({("release", "r")})): 0,
        ("janua_gate_judged_timestamp_seconds", frozenset({("release", "r"), ("verdict", "fail")})): 1,
    }


@pytest.mark.parametrize("release", ['a"b', "a\\b"])
def test_a_release_with_any_name_is_a_label(release: str) -> None:
    told = samples(exposition.metrics(Verdict(), release, at=1))
    assert ("janua_gate_passed", frozenset({("release", release)})) in told


def test_the_file_is_replaced_at_once_and_readable_by_everybody(tmp_path: Path) -> None:
    file = tmp_path / "gate.prom"
    for text in ("a 1\n", "a 2\n"):
        exposition.write(text, file)
        assert file.read_text() == text
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["gate.prom"]
