"""The report of a load run on a stack: `python -m evidence.load FOLDER --stack NAME`, of what k6 left in the folder."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alerts import targets
from dashboards.pictures.ask import Span
from evidence import k6, service
from evidence.about import about
from evidence.report.document import Report
from evidence.report.headline import sections
from evidence.report.write import write
from infra.operations import stacks
from loadtest.gate.prometheus import Prometheus

_AROUND_SECONDS = 15
# By then every replica has been scraped once more.
_SCRAPED_SECONDS = 10


def report(summary: Mapping[str, Any], stack: str) -> Report:
    """Return the report of the run that `summary` tells of: k6's thresholds decide, the service's targets only warn.

    Raises OSError or PrometheusError if the stack's Prometheus does not answer.
    """
    outputs = stacks.outputs(stacks.select(stack), with_secrets=False)
    url, release, promised = str(outputs["prometheus_url"]), str(outputs["release"]), targets.load()
    began, ended = summary["started_at"], summary["ended_at"]
    counted = service.figures(Prometheus(url), release, began, ended + _SCRAPED_SECONDS, promised)
    failed = summary["thresholds_failed"]
    return Report(
        kind=f"load test {summary['type']} of {stack}",
        title=f"Load test {summary['type']} of {stack}",
        at=summary["ended_at"],
        holds=not failed,
        columns=["found"],
        figures=[*k6.figures(summary, promised), *counted],
        reasons=[f"k6 missed {threshold}" for threshold in failed],
        warnings=[f"{each.name} is {each.values[0]}, promised: {each.promised}" for each in counted if not each.holds],
        about=about(stack, release),
        sections=sections(Span(url, began - _AROUND_SECONDS, ended + _AROUND_SECONDS)),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m evidence.load", description=__doc__)
    parser.add_argument("folder", type=Path, help="loadtest/results/<type>_<time>, with summary.json")
    parser.add_argument("--stack", default="staging")
    options = parser.parse_args(arguments)
    summary = json.loads((options.folder / "summary.json").read_text())
    print(f"Report: {write(report(summary, options.stack))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
