"""`make load`: the load suite against the running stack, and the report of the run.

`python -m evidence.load TYPE` takes the options of `python -m loadtest.load`.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from alerts import targets
from dashboards.pictures.ask import Span
from evidence import k6, service
from evidence.about import about
from evidence.report.document import Report
from evidence.report.headline import sections
from evidence.report.write import write
from infra.operations import stacks
from loadtest.gate.prometheus import Prometheus, PrometheusError
from loadtest.load import RESULTS, TYPES

_AROUND_SECONDS = 15


def report(summary: Mapping[str, Any], stack: str, code: int) -> Report:
    """Return the report of the run that `summary` tells of: k6's thresholds decide, the service's targets only warn.

    `code` is what k6 ended with: a run that was ended before its time proves nothing, whatever its thresholds say.
    Raises OSError or PrometheusError if the stack's Prometheus does not answer.
    """
    outputs = stacks.outputs(stacks.select(stack), with_secrets=False)
    url, release, promised = str(outputs["prometheus_url"]), str(outputs["release"]), targets.load()
    began, ended = summary["started_at"], summary["ended_at"]
    counted = service.figures(Prometheus(url), release, began, ended, promised)
    failed = summary["thresholds_failed"]
    return Report(
        kind=f"load test {summary['type']} of {stack}",
        title=f"Load test {summary['type']} of {stack}",
        at=summary["ended_at"],
        holds=code == 0,
        columns=["found"],
        figures=[*k6.figures(summary, promised), *counted],
        reasons=[f"k6 missed {threshold}" for threshold in failed] or [f"k6 ended with {code}"] * (code != 0),
        warnings=[f"{each.name} is {each.values[0]}, promised: {each.promised}" for each in counted if not each.holds],
        about=about(stack, release),
        sections=sections(Span(url, began - _AROUND_SECONDS, ended + _AROUND_SECONDS)),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite and write the report of what it left; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m evidence.load", description=__doc__, add_help=False)
    parser.add_argument("type", choices=TYPES)
    parser.add_argument("--stack", default="staging")
    options, others = parser.parse_known_args(arguments)
    folder = RESULTS / f"{options.type}_{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    command = [sys.executable, "-m", "loadtest.load", options.type, "--stack", options.stack, *others]
    # An interrupt is for k6, which then ends in order.
    signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    code = subprocess.run(command, env={**os.environ, "RESULTS_DIR": str(folder)}, check=False).returncode
    if (file := folder / "summary.json").exists():
        print("Report:", _written(json.loads(file.read_text()), options.stack, code))
    return code


def _written(summary: Mapping[str, Any], stack: str, code: int) -> str:
    try:
        return str(write(report(summary, stack, code)))
    except (OSError, PrometheusError) as error:
        return f"none, {error}"


if __name__ == "__main__":
    sys.exit(main())
