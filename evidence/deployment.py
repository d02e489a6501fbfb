"""The report of a deployment: what k6 and the gate found of its release, and what the stack showed meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerts import targets
from dashboards.pictures.ask import Span
from evidence import k6
from evidence.about import about
from evidence.folders import REPORTS
from evidence.report.document import Figure, Report
from evidence.report.headline import sections
from evidence.report.write import file_of, write
from loadtest.gate.k6_run import SummaryError, parse

# What happened just before the smoke run belongs to the deployment, too.
_BEFORE_SECONDS = 90
_AFTER_SECONDS = 15


@dataclass(frozen=True)
class Deployment:
    """Whose report it is: the stack, the release that was judged, and where the stack's Prometheus answers."""

    stack: str
    release: str
    prometheus_url: str

    @property
    def kind(self) -> str:
        """What its history is kept under."""
        return f"deployment of {self.stack}"


def write_report(
    deployment: Deployment, k6_log: str, verdict: Mapping[str, Any], folder: Path = REPORTS
) -> Path | None:
    """Write the report of a deployment whose smoke run left `k6_log`; return its file.

    `verdict` is the gate's, empty if it never came to that. A run that has its report already gets no second one; None
    if k6 has left nothing to report of. Raises OSError if Prometheus does not answer.
    """
    try:
        run = parse(k6_log)
    except SummaryError:
        return None
    if (file := file_of(deployment.kind, run.ended_at, folder)).exists():
        return file
    span = Span(deployment.prometheus_url, run.started_at - _BEFORE_SECONDS, run.ended_at + _AFTER_SECONDS)
    failed = [f"k6 missed {threshold}" for threshold in run.thresholds_failed] or ["the gate was not asked"]
    report = Report(
        kind=deployment.kind,
        title=f"Deployment of {deployment.release} to {deployment.stack}",
        at=run.ended_at,
        holds=verdict.get("verdict") == "pass",
        columns=["found"],
        figures=[*_checks(verdict), *k6.figures(run.content, targets.load())],
        reasons=verdict.get("reasons", failed),
        warnings=[*_overridden(verdict), *verdict.get("warnings", [])],
        about=about(deployment.stack, deployment.release),
        sections=sections(span),
    )
    return write(report, folder)


def _overridden(verdict: Mapping[str, Any]) -> list[str]:
    reason = verdict.get("override")
    return [f"OVERRIDDEN, the release serves all the same: {reason}"] if reason else []


def _checks(verdict: Mapping[str, Any]) -> list[Figure]:
    """Return what the gate looked at."""
    return [
        Figure(check["name"], check["wanted"], [check["found"]], check["good"], check["value"])
        for check in verdict.get("checks", [])
    ]
