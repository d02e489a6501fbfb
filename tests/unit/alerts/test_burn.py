"""Windows and burn rates, and what follows from one target."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from alerts import targets
from alerts.burn import (
    ERRORS_FAST,
    LATENCY_FAST,
    PAGE_SHORT,
    SLOW_BUDGET_PERCENT,
    Burn,
    seconds,
)
from alerts.rule_files import Links, rule_files
from alerts.targets import TARGETS_FILE, TargetsError
from dashboards.boards import texts
from service.observability.metrics import LATENCY_BUCKETS

TARGETS = targets.load()
# What a scrape, an evaluation and the wait for others add, and how late a page may be.
DELAYS, LATEST = 15, 90


@pytest.mark.parametrize(
    ("burn", "budget_percent"),
    [(LATENCY_FAST, SLOW_BUDGET_PERCENT), (ERRORS_FAST, TARGETS.error_rate_max_percent)],
)
def test_a_fault_that_hits_everything_pages_in_time(burn: Burn, budget_percent: float) -> None:
    """With equal traffic before: then the long window is over its limit when the fault has lasted for its share."""
    share = burn.rate * budget_percent / 100
    assert share < 1
    assert share * seconds(5)[burn.long] + DELAYS < LATEST


def test_every_window_holds_several_scrapes_however_rare_they_are() -> None:
    for interval in (1, 5, 15, 60):
        assert seconds(interval)[PAGE_SHORT] >= 6 * interval
    assert seconds(5) == seconds(1)


def test_a_latency_without_a_boundary_is_refused() -> None:
    between = replace(TARGETS, validation_latency_p95_ms=6)
    with pytest.raises(TargetsError, match="validation_latency_p95_ms: 6 ms is no boundary"):
        rule_files(between)


def test_one_line_changes_rule_dashboard_and_threshold(tmp_path: Path) -> None:
    """The one source is a file: what derives from it, derives from the changed one as from the committed."""
    old, new = TARGETS.auth_latency_p95_ms, 75
    assert new in LATENCY_BUCKETS
    changed = tmp_path / "targets.json"
    changed.write_text(json.dumps(json.loads(TARGETS_FILE.read_text()) | {"auth_latency_p95_ms": new}))
    figures = targets.load(changed)
    before, after = (rule_files(each)["recordings.yml"] for each in (TARGETS, figures))
    assert before.replace(f'le="{float(old)}"', f'le="{float(new)}"') == after != before
    assert [_limits(each, "Auth p95") for each in (TARGETS, figures)] == [[old], [new]]


def _limits(figures: targets.Targets, title: str) -> list[float]:
    """The thresholds of the panel of that name on the overview."""
    board = json.loads(texts(figures, Links())["overview.json"])
    panels = [panel for row in board["panels"] for panel in (row, *row.get("panels", []))]
    [panel] = [panel for panel in panels if panel.get("title") == title]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [step["value"] for step in steps if step["value"] is not None]
