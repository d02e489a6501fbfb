"""The reports of a real deployment and a real load run, opened from disk in a browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from infra.config import ROOT
from tests.chromium import chromium
from tests.e2e.deployment import Deployment

SHOTS = ROOT / ".janua" / "screenshots"
USERS = 2000
WIDTHS = [1280, 400]
# What a reader needs at least, in pixels of the screen: letters of a picture are drawn 9 points high.
LETTER_POINTS, DOTS_PER_INCH, SMALLEST_LETTER = 9, 160, 8
IMAGES = """() => [...document.images].map(image => ({
    title: image.alt, natural: image.naturalWidth, shown: image.getBoundingClientRect().width
}))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def load_run(staging: Deployment) -> str:
    """A load run of seeded users, as somebody asks for it."""
    run = staging.shell(f"make seed USERS={USERS} && make load TYPE=smoke DURATION=12s")
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.fixture(scope="module", params=["deployment", "load"])
def report(request: pytest.FixtureRequest, staging: Deployment, load_run: str) -> Path:
    if request.param == "deployment":
        return Path(staging.outputs()["report"])
    return report_of(load_run)


def report_of(run: str) -> Path:
    """The report that a run says it has written."""
    return Path(re.findall(r"^Report: (.+)$", run, re.MULTILINE)[-1])


def opened(browser: Browser, report: Path, width: int) -> tuple[Page, list[str]]:
    """The page at that width, everything unfolded, and what it asked for."""
    page = browser.new_page(viewport={"width": width, "height": 1200})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri(), wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    return page, [url for url in asked if not url.startswith(("data:", report.as_uri()))]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_report_is_legible_from_disk_without_a_network(browser: Browser, report: Path, width: int) -> None:
    page, asked = opened(browser, report, width)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{report.stem.rpartition('_')[0]}-{width}.png", full_page=True)
    assert asked == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    images: list[dict[str, Any]] = page.evaluate(IMAGES)
    assert len(images) > 30
    letters = {one["title"]: LETTER_POINTS / 72 * DOTS_PER_INCH * one["shown"] / one["natural"] for one in images}
    assert {title: pixels for title, pixels in letters.items() if pixels < SMALLEST_LETTER} == {}
    page.close()


def test_a_report_holds_every_figure_of_its_run(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report, WIDTHS[0])
    text = page.inner_text("body")
    summary = report.with_suffix(".txt").read_text()
    assert summary.splitlines()[1] in text
    figures = json.loads(report.with_suffix(".json").read_text())["figures"]
    assert figures.keys() >= {"k6: validations, p95", "k6: errors", "k6: API requests"}
    assert [name for name in figures if name not in text] == []
    page.close()


def test_the_load_run_was_of_seeded_users_and_is_on_the_dashboard(staging: Deployment, load_run: str) -> None:
    folder = Path(re.findall(r"^results: (.+)$", load_run, re.MULTILINE)[-1])
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["error_rate"], summary["seeded_users"]) == (0, USERS)
    assert summary["api_requests"] > 0
    report = report_of(load_run)
    assert "Janua load test" in report.read_text()


def test_seeding_again_writes_nothing(staging: Deployment, load_run: str) -> None:
    assert "nothing to do" in staging.shell(f"make seed USERS={USERS}").stdout


def test_a_run_whose_thresholds_fail_says_so_and_fails(staging: Deployment, load_run: str) -> None:
    strict = staging.folder / "alerts" / "targets.json"
    before = strict.read_text()
    targets = json.loads(before)
    targets["k6"]["login_latency_p95_ms"] = 0.001
    strict.write_text(json.dumps(targets))
    try:
        run = staging.shell("make load TYPE=smoke DURATION=5s")
    finally:
        strict.write_text(before)
    assert run.returncode != 0
    report = report_of(run.stdout)
    assert "why: k6 missed login_latency p(95)<0.001" in report.with_suffix(".txt").read_text()
