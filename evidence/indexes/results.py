"""What the measurement of the indexes leaves behind: a table, the plans, a report, and everything for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from alerts.targets import IndexSpeedups
from bench.table import row
from evidence.about import machine as about_machine
from evidence.comparison import Comparison, promise, written
from evidence.indexes.costs import Build
from evidence.indexes.measure import Evidence, plain
from evidence.indexes.verdict import added, name_of, speed_up, verdict
from evidence.report.document import Figure, Report, Section, Table

_GAIN = ("index", "question", "promised", "without any", "without it", "with it", "factor", "it adds", "verdict")
_COSTS = ("index", "size", "a row with it", "without it", "WAL of it", "without it", "built in", "writes, p95")
_PLANS = ("index", "plan", "time", "pages hit, read")
_NAMES = {"present": "with it", "absent": "without it", "bare": "without any that serves it"}


@dataclass(frozen=True)
class Result:
    """The evidence of all indexes, `rows` of each table, and the `limits` that it is judged by, if it is."""

    machine: Mapping[str, object]
    rows: Mapping[str, int]
    evidence: Sequence[Evidence]
    limits: IndexSpeedups | None

    @property
    def speed_ups(self) -> list[Comparison]:
        """How much faster each index makes its query."""
        return [speed_up(each, self.limits) for each in self.evidence]

    @property
    def missed(self) -> list[Comparison]:
        """Those that do not give what was promised."""
        return [each for each in self.speed_ups if each.holds is False]

    @property
    def warnings(self) -> list[str]:
        """What to know before anything is concluded."""
        return [] if self.limits else ["fewer than a million users: no conclusions from it, and nothing is judged"]

    def about(self) -> str:
        """What was looked at."""
        return ", ".join(f"{count:,} rows in {table}" for table, count in self.rows.items())

    def text(self) -> str:
        """The tables in Markdown."""
        parts = [f"# The indexes of revision 006\n\n{self.about()}.", *(f"**{warning}**" for warning in self.warnings)]
        for title, columns, rows in (("What they give", _GAIN, self.gains()), ("What they cost", _COSTS, self.costs())):
            lines = [row(*columns), row(*["---"] * len(columns)), *(row(*cells) for cells in rows)]
            parts.append("\n".join([f"## {title}", "", *lines]))
        return "\n\n".join([*parts, ""])

    def gains(self) -> list[list[str]]:
        """Return a row for each index: its query without any that serves it, without the one, and with it."""
        return [
            [
                each.index.name,
                each.query.question,
                promise(compared),
                written(each.times("bare"), "ms"),
                written(each.times("absent"), "ms"),
                written(each.times("present"), "ms"),
                f"{median(compared.factors):,.0f}",
                f"{added(each):,.1f}",
                verdict(each),
            ]
            for each, compared in zip(self.evidence, self.speed_ups, strict=True)
        ]

    def costs(self) -> list[list[str]]:
        """Return a row for each index: its size, what it adds to a written row, and how it was built."""
        paid = {each.index.name: each.costs for each in self.evidence}
        return [
            [
                name,
                f"{cost.size_bytes / 2**20:.0f} MiB",
                f"{cost.row_us_with:.1f} µs",
                f"{cost.row_us_without:.1f} µs",
                f"{cost.wal_bytes_with:.0f} B",
                f"{cost.wal_bytes_without:.0f} B",
                f"{cost.build.seconds:.1f} s",
                _writes(cost.build),
            ]
            for name, cost in paid.items()
        ]

    def plans(self) -> list[list[str]]:
        """Return the plans of the last round, with what each of them took."""
        found = [(each, which, each.last(which)) for each in self.evidence for which in _NAMES]
        return [
            [
                f"{name_of(each)}, {_NAMES[which]}",
                execution.plan,
                f"{execution.milliseconds:.3f} ms",
                f"{execution.pages_hit:,}, {execution.pages_read:,}",
            ]
            for each, which, execution in found
        ]

    def report(self, at: float) -> Report:
        """Return the report of the measurement that ended at a moment (Unix seconds)."""
        gains = Table("What they give", "", _GAIN, self.gains())
        return Report(
            kind="index evidence" if self.limits else "quick index evidence",
            title="The indexes of revision 006",
            at=at,
            holds=not self.missed,
            columns=["without any that serves it", "with it", "factor"],
            figures=[_figure(each) for each in self.speed_ups],
            reasons=[f"{each.name} missed: {promise(each)}" for each in self.missed],
            warnings=self.warnings,
            about={"tables": self.about(), **about_machine(self.machine)},
            sections=[
                Section("Gain and cost", tables=[gains, Table("What they cost", "", _COSTS, self.costs())]),
                Section("Plans", tables=[Table("Plans of the last round", "", _PLANS, self.plans())], folded=True),
            ],
        )

    def write(self, folder: Path) -> None:
        """Write the tables, the plans and all values into a folder."""
        (folder / "table.md").write_text(self.text())
        (folder / "plans.txt").write_text("\n".join("\t".join(row) for row in self.plans()) + "\n")
        document = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "holds": not self.missed,
            "machine": self.machine,
            "about": self.about(),
            "gains": {"columns": _GAIN, "rows": self.gains()},
            "indexes": [plain(each) | {"verdict": verdict(each), "adds": added(each)} for each in self.evidence],
        }
        (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n")


def _figure(each: Comparison) -> Figure:
    values = [written(each.baseline, "ms"), written(each.optimized, "ms"), written(each.factors, "")]
    return Figure(each.name, promise(each), values, each.holds, median(each.factors), "times")


def _writes(build: Build) -> str:
    """Return how long single rows took to write, before the build and meanwhile."""
    meanwhile = f"{build.write_p95_meanwhile_ms:.1f} ms" if build.writes_meanwhile else "none"
    return f"{build.write_p95_before_ms:.1f} ms before, {meanwhile} meanwhile"
