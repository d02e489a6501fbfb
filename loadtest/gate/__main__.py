"""The gate of a release, run to completion after k6: `python -m loadtest.gate`.

Reads the environment: PROMETHEUS_URL, RELEASE, REPLICAS (the candidates, as `host:port,host:port`), K6_EXIT_CODE,
SUMMARY_FILE (the log of k6), and optionally PATIENCE_SECONDS (45) for scrapes to catch up, METRICS_FILE, to which the
verdict is written for node_exporter, TARGETS: `binding`, or `advisory` where they shall not refuse a release, and
OVERRIDE: why the release shall serve whatever is found. Prints a table and a last line `VERDICT {…}`; exits with 0 for
a release that may serve and 1 for one that may not.
"""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from alerts import targets
from loadtest.gate import exposition, k6_run
from loadtest.gate.answer import Verdict, line, table
from loadtest.gate.candidates import Candidates, resolve
from loadtest.gate.observation import Observation, observe, wait_for_scrapes
from loadtest.gate.prometheus import Prometheus, PrometheusError
from loadtest.gate.verdict import judge


@dataclass(frozen=True)
class Question:
    """What the gate is asked, as read from the environment."""

    prometheus: Prometheus
    candidates: Candidates
    k6_exit_code: int
    summary_file: Path
    patience_seconds: int
    targets_bind: bool = True


def read(environment: Mapping[str, str]) -> Question:
    """Return the question that the environment asks. Raises ValueError, naming what is wrong."""
    names = ("PROMETHEUS_URL", "RELEASE", "REPLICAS", "K6_EXIT_CODE", "SUMMARY_FILE")
    if missing := [name for name in names if not environment.get(name)]:
        raise ValueError(f"not set: {', '.join(missing)}")
    return Question(
        prometheus=Prometheus(environment["PROMETHEUS_URL"]),
        candidates=Candidates(environment["RELEASE"], resolve(environment["REPLICAS"])),
        k6_exit_code=_whole(environment, "K6_EXIT_CODE"),
        summary_file=Path(environment["SUMMARY_FILE"]),
        patience_seconds=_whole({"PATIENCE_SECONDS": "45", **environment}, "PATIENCE_SECONDS"),
        targets_bind=_targets_bind(environment),
    )


def _whole(environment: Mapping[str, str], name: str) -> int:
    if not environment[name].isdecimal():
        raise ValueError(f"{name} must be a whole number, not {environment[name]!r}")
    return int(environment[name])


def _targets_bind(environment: Mapping[str, str]) -> bool:
    words = {"binding": True, "advisory": False}
    given = environment.get("TARGETS", "binding")
    if given not in words:
        raise ValueError(f"TARGETS must be {' or '.join(words)}, not {given!r}")
    return words[given]


def decide(question: Question, goals: targets.Targets) -> Verdict:
    """Hear k6 and Prometheus. Whatever cannot be heard is a problem, and a problem is a refusal."""
    try:
        summary = k6_run.parse(question.summary_file.read_text("utf-8", errors="replace"))
    except (OSError, k6_run.SummaryError) as error:
        return Verdict(problems=(f"k6 exited with {question.k6_exit_code}: {error}",))
    seen: Observation | None = None
    problems: tuple[str, ...] = ()
    try:
        seen = _look(question, summary)
    except PrometheusError as error:
        problems = (str(error),)
    replicas = len(question.candidates.instances)
    checks = judge(question.k6_exit_code, summary, seen, replicas, goals, bind=question.targets_bind)
    return Verdict(checks, problems, summary, seen)


def _look(question: Question, summary: k6_run.Summary) -> Observation:
    at = wait_for_scrapes(
        question.prometheus,
        question.candidates,
        summary.ended_at,
        question.patience_seconds,
    )
    return observe(question.prometheus, question.candidates, started_at=summary.started_at, at=at)


def main() -> int:
    """Run the gate; return its exit code."""
    try:
        question, goals = read(os.environ), targets.load()
    except ValueError as error:
        verdict = Verdict(problems=(f"the gate was started wrongly: {error}",))
    else:
        verdict = decide(question, goals)
    verdict = replace(verdict, override=os.environ.get("OVERRIDE", ""))
    if file := os.environ.get("METRICS_FILE"):
        exposition.write(exposition.metrics(verdict, os.environ.get("RELEASE", ""), time.time()), Path(file))
    print(table(verdict))
    if verdict.word == "override":
        print(f"OVERRIDDEN: this release serves although the gate refuses it: {verdict.override}")
    print(line(verdict))
    return 1 if verdict.word == "fail" else 0


if __name__ == "__main__":
    sys.exit(main())
