"""Panels are drawn with their own units, thresholds and gaps."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alerts import targets
from alerts.rule_files import Links
from dashboards.boards import documents
from dashboards.pictures.__main__ import pictures
from dashboards.pictures.ask import Span
from dashboards.pictures.draw import draw
from dashboards.pictures.units import written

PANELS = [p for board in documents(targets.load(), Links()).values() for p in board["panels"] if p["type"] != "row"]
ONE_OF_EACH_KIND = list({panel["type"]: panel for panel in PANELS}.values())


@dataclass(frozen=True)
class Answers(Span):
    """A Prometheus that has, for whatever it is asked, these values in these seconds, of one series."""

    samples: tuple[tuple[float, str], ...] = ()

    def _get(self, path: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        if not self.samples:
            return []
        series = {"metric": {"path": "/a", "alertname": "A$B"}}
        if path == "query":
            return [{**series, "value": self.samples[-1]}]
        return [{**series, "values": list(self.samples)}]


def answers(*samples: tuple[float, str]) -> Answers:
    return Answers("http://prometheus.test", 0, 600, samples)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00123, "s", "1.23 ms"),
        (0.0000021, "s", "2.1 µs"),
        (0, "ms", "0 s"),
        (1500, "ms", "1.5 s"),
        (80.55, "percent", "80.5 %"),
        (402653184, "bytes", "384 MiB"),
        (1_500_000, "Bps", "1.5 MB/s"),
        (12345, "short", "12,345"),
        (3, "reqps", "3 req/s"),
        (0.5, "suffix:/s", "0.5 /s"),
        (math.nan, "percent", "no data"),
    ],
)
def test_a_figure_is_written_with_its_unit(value: float, unit: str, text: str) -> None:
    assert written(value, unit) == text


def test_every_unit_of_a_panel_can_be_written() -> None:
    for panel in PANELS:
        assert written(1, panel["fieldConfig"]["defaults"]["unit"])


def test_nothing_is_drawn_across_a_gap() -> None:
    panel = {"targets": [{"expr": "a", "legendFormat": "p95 {{path}}"}]}
    (line,) = answers((0, "1"), (5, "2"), (60, "3")).lines(panel)
    assert line.name == "p95 /a"
    assert line.times == [0, 5, 55, 60]
    assert [value for value in line.values if not math.isnan(value)] == [1, 2, 3]


@pytest.mark.parametrize("panel", ONE_OF_EACH_KIND, ids=lambda panel: panel["type"])
@pytest.mark.parametrize("samples", [(), ((0, "1"), (5, "NaN")), ((0, "NaN"),)], ids=["none", "some", "nan"])
def test_every_kind_of_panel_is_drawn_with_data_and_without(
    panel: dict[str, Any], samples: tuple[tuple[float, str], ...], tmp_path: Path
) -> None:
    draw(panel, answers(*samples), tmp_path / "panel.png")
    assert (tmp_path / "panel.png").read_bytes().startswith(b"\x89PNG")


def test_data_can_be_seen(tmp_path: Path) -> None:
    (panel,) = (panel for panel in ONE_OF_EACH_KIND if panel["type"] == "timeseries")
    for name, samples in {"flat": ((0.0, "0"), (300.0, "0")), "rising": ((0.0, "0"), (5.0, "7"))}.items():
        draw(panel, answers(*samples), tmp_path / f"{name}.png")
    assert (tmp_path / "flat.png").read_bytes() != (tmp_path / "rising.png").read_bytes()


def test_the_page_shows_every_panel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("dashboards.pictures.__main__.draw", lambda _panel, _span, file: file.write_bytes(b""))
    *files, index = pictures(answers(), tmp_path)
    assert len({file.name for file in files}) == len(PANELS)
    assert all(f'src="{file.name}"' in index.read_text() for file in files)
