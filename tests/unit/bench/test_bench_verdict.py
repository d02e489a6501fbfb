"""What a run says at its end: to people, to programs, and by its exit status."""

import json
import math
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.figures import Figure, Target
from bench.measuring import Findings, Plan
from bench.results import Run

MACHINE = {"release_image": "janua/service:1", "commit": "abc", "processors": 2, "processor": "CPU", "kernel": "6"}


def run_with(*values: float, quick: bool = False) -> Run:
    findings = Findings([Figure("cpu", "service", "p95", "ms", values, Target("<", 5))], {"seconds": [0.0]})
    return Run(MACHINE, Plan(), quick, findings)


@pytest.mark.parametrize(("p95", "status"), [(4.9, 0), (5.1, 1), (math.nan, 1)])
def test_the_exit_status_is_the_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], p95: float, status: int
) -> None:
    monkeypatch.setattr(command, "_run", lambda options: (run_with(p95), Path("results")))
    assert command.main(["--only", "cpu"]) == status
    assert ("**NO**" in capsys.readouterr().out) == bool(status)


def test_an_interrupted_run_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_run", interrupted)
    assert command.main([]) == 130


def test_an_unknown_part_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "_run", lambda options: (run_with(4), Path("results")))
    with pytest.raises(SystemExit) as stopped:
        command.main(["--only", "cpu,disk"])
    assert stopped.value.code == 2
    assert "unknown: disk" in capsys.readouterr().err


def test_results_are_written_for_programs_with_invalid_rounds_as_null(tmp_path: Path) -> None:
    run_with(4, math.nan, 6).write(tmp_path)
    document = json.loads((tmp_path / "results.json").read_text())
    [found] = document["figures"]
    assert found["rounds"] == [4, None, 6]
    assert (found["median"], found["holds"], document["all_hold"]) == (5, False, False)
    assert "| cpu: service: p95 |" in (tmp_path / "table.md").read_text()


def test_a_quick_run_says_so() -> None:
    assert "Quick" in run_with(4, quick=True).text()
    assert "Quick" not in run_with(4).text()
