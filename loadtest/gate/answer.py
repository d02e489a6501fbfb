"""The verdict, and the two forms in which it is given: a table for people, a line for programs."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from loadtest.gate.k6_run import Summary
from loadtest.gate.observation import Observation
from loadtest.gate.verdict import Check

_MARK = "VERDICT "


@dataclass(frozen=True)
class Verdict:
    """The checks that were made, the problems that prevented others, and the figures behind them.

    `override` is why somebody wants the release to serve whatever the gate finds; empty if nobody does.
    """

    checks: tuple[Check, ...] = ()
    problems: tuple[str, ...] = ()
    summary: Summary | None = None
    seen: Observation | None = None
    override: str = ""

    @property
    def word(self) -> str:
        """Return `pass`, `fail`, or `override` for what would have failed."""
        if not self.reasons:
            return "pass"
        return "override" if self.override else "fail"

    @property
    def reasons(self) -> list[str]:
        """Return why the release may not serve; empty if it may."""
        return [*self.problems, *(str(check) for check in self.checks if not (check.good or check.tolerable))]

    @property
    def warnings(self) -> list[str]:
        """Return what is not as it should be, but no reason to refuse the release."""
        return [str(check) for check in self.checks if check.tolerable and not check.good]


def table(verdict: Verdict) -> str:
    """Return the checks, aligned in columns, and the problems below."""
    cells = [(check.name, check.found, check.wanted) for check in verdict.checks]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    marks = ["ok" if check.good else "WARN" if check.tolerable else "FAIL" for check in verdict.checks]
    lines = [f"{row}  {mark}" for row, mark in zip(rows, marks, strict=True)]
    return "\n".join([*lines, *(f"FAIL  {problem}" for problem in verdict.problems)])


def figures(verdict: Verdict) -> dict[str, float | None]:
    """Return the figures behind the verdict by their names; one that is not known is None."""
    seen = asdict(verdict.seen.figures) if verdict.seen else {}
    return {
        "k6_requests": verdict.summary.api_requests if verdict.summary else None,
        "prometheus_requests": int(verdict.seen.requests) if verdict.seen else None,
        **{name: None if math.isnan(value) else round(value, 4) for name, value in seen.items()},
    }


def read(log: str) -> dict[str, Any]:
    """Return the verdict that a log's last line that begins with `VERDICT ` tells; empty without one."""
    lines = [line for line in log.splitlines() if line.startswith(_MARK)]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix(_MARK)) if lines else {}
    return found


def line(verdict: Verdict) -> str:
    """Return `VERDICT ` and the verdict as JSON; a figure that is not known is null."""
    content = {
        "verdict": verdict.word,
        "override": verdict.override if verdict.word == "override" else "",
        "reasons": verdict.reasons,
        "warnings": verdict.warnings,
        "checks": [asdict(check) for check in verdict.checks],
        "figures": {**figures(verdict), "k6": verdict.summary and verdict.summary.content},
    }
    return f"{_MARK}{json.dumps(content, separators=(',', ':'))}"
