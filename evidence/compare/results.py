"""What a comparison leaves behind: a table for people, everything for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.load.requests import LOGIN, SIGNUP, VALIDATE
from bench.table import row
from evidence.compare.deployments import OPTIMIZED
from evidence.compare.measure import Measured
from evidence.compare.plan import Plan
from evidence.comparison import Comparison, promise, written

_HEAD = "| figure | promised | baseline | optimized | factor | holds |\n| --- | --- | --- | --- | --- | --- |"
_WORDS = {True: "yes", False: "**NO**", None: ""}


@dataclass(frozen=True)
class Result:
    """A comparison that has ended, and where; `is_quick` ones are for development and prove nothing."""

    machine: Mapping[str, object]
    plan: Plan
    is_quick: bool
    measured: Measured
    comparisons: Sequence[Comparison]

    @property
    def missed(self) -> list[Comparison]:
        """The figures that are not what was promised."""
        return [each for each in self.comparisons if each.holds is False]

    def text(self) -> str:
        """The table, and what bounds the figures that missed."""
        title = "# Baseline and optimized"
        quick = ["**Quick: short rounds, for development; no conclusions from it.**", ""] if self.is_quick else []
        rows = [_row(each) for each in self.comparisons]
        return "\n".join(
            [title, "", *quick, self.about(), "", _HEAD, *rows, "", *(f"- {bound}." for bound in self.bounds()), ""]
        )

    def about(self) -> str:
        """What was compared, on what."""
        machine = self.machine
        return (
            f"Release image {machine['release_image']}, commit {machine['commit']}, on {machine['processors']} x "
            f"{machine['processor']}; {self.plan.users:,} users and sessions; {self.plan.rounds} rounds in turn at "
            f"{self.measured.rate} requests a second: 95 % validations, 4 % logins, 1 % signups, refreshes and logouts."
        )

    def write(self, folder: Path) -> None:
        """Write the table and all values into a folder."""
        (folder / "table.md").write_text(self.text())
        document = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "quick": self.is_quick,
            "holds": not self.missed,
            "machine": self.machine,
            "plan": asdict(self.plan),
            "rate": self.measured.rate,
            "crowds": {side: [asdict(step) for step in steps] for side, steps in self.measured.crowds.items()},
            "comparisons": [asdict(each) | {"factors": each.factors, "holds": each.holds} for each in self.comparisons],
        }
        (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n")

    def bounds(self) -> list[str]:
        """Say of each figure that missed what the optimized side was doing meanwhile."""
        busy = next(each.optimized for each in self.comparisons if each.name == "processors kept busy")
        told = f"at {self.measured.rate}/s it kept {written(busy, '')} of {self.machine['processors']} processors busy"
        return [f"{each.name} missed ({promise(each)}); {told}; {self._hashing()}" for each in self.missed]

    def _hashing(self) -> str:
        """Say how much of the mixture is password hashing, which neither cache nor index makes faster."""
        samples = [each.round.samples for each in self.measured.mixed[OPTIMIZED]]
        requests = sum(each.count() for each in samples)
        hashing = sum(each.count(kind) for each in samples for kind in (LOGIN, SIGNUP))
        login, validation = ([each.latency_ms(50, kind) for each in samples] for kind in (LOGIN, VALIDATE))
        return (
            f"{100 * hashing / max(1, requests):.1f} % of the requests hash a password (p50 of a login "
            f"{written(login, 'ms')}, of a validation {written(validation, 'ms')}), which no cache speeds up"
        )


def _row(each: Comparison) -> str:
    return row(
        each.name,
        promise(each),
        written(each.baseline, each.unit),
        written(each.optimized, each.unit),
        written(each.factors, ""),
        _WORDS[each.holds],
    )
