"""The verdict as metrics, in the text format that node_exporter reads from files: dashboards show releases by them."""

import re
from pathlib import Path

from alerts.metrics import GATE_FIGURES, GATE_JUDGED, GATE_PASSED
from loadtest.gate.answer import Verdict, figures


def metrics(verdict: Verdict, release: str, at: float) -> str:
    """Return the verdict on `release` that was given at the Unix time `at`; a figure that is not known is left out."""
    name = _quoted(release)
    known = {key: float(value) for key, value in figures(verdict).items() if value is not None}
    lines = [
        f"{GATE_PASSED}{{release={name}}} {int(verdict.word == 'pass')}",
        f'{GATE_JUDGED}{{release={name},verdict="{verdict.word}"}} {at:.3f}',
        *(f'{GATE_FIGURES}{{release={name},figure="{key}"}} {value}' for key, value in known.items()),
    ]
    return "".join(f"{line}\n" for line in lines)


def write(text: str, file: Path) -> None:
    """Replace `file` at once: whoever reads it sees the old content or the new."""
    scratch = file.with_suffix(".new")
    scratch.write_text(text)
    scratch.chmod(0o644)
    scratch.replace(file)


def _quoted(text: str) -> str:
    escaped = re.sub(r'([\\"])', r"\\\1", text)
    return f'"{escaped}"'
