"""A report as files: everything that the run gave, nothing from elsewhere, and a history that grows."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from evidence.report.document import Figure, Picture, Report, Section, Table, Tile
from evidence.report.history import last_good, past
from evidence.report.write import write

PNG = b"\x89PNG\r\n\x1a\n"
REPORT = Report(
    kind="load test smoke of staging",
    title="Load test <smoke>",
    at=1_800_000_000,
    holds=False,
    columns=["found"],
    figures=[
        Figure("p95 & more", "below 50 ms", ["61.20 ms"], holds=False, trend=61.2, unit="ms"),
        Figure("requests", "", ["1,234"], trend=1234),
        Figure("errors", "below 1 %", ["0.00 %"], holds=True, trend=0, unit="%"),
    ],
    reasons=["p95 is 61.20 ms"],
    warnings=["a busy machine"],
    about={"release": "1-a", "machine": "2 x fast"},
    sections=[
        Section("Over time", pictures=[Picture("Latency", "what it shows", PNG)]),
        Section("Board", "of things", tiles=[Tile("Redis", "up", "1", "good")], folded=True),
        Section("Alerts", tables=[Table("Fired", "", ["alert"], [["RedisDown"]]), Table("None", "", ["x"], [])]),
    ],
)


def texts(file: Path) -> str:
    """What a reader of the page reads."""
    body = re.sub(r"<style>.*?</style>", "", file.read_text(), flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def test_the_page_holds_all_that_the_run_gave(tmp_path: Path) -> None:
    text = texts(write(REPORT, tmp_path))
    said = ["Load test <smoke>", "FAIL: 1 of 2 promised figures hold", "p95 is 61.20 ms", "a busy machine"]
    said += [part for figure in REPORT.figures for part in (figure.name, figure.promised, *figure.values)]
    said += ["2 x fast", "what it shows", "of things", "Redis", "RedisDown", "This is the first report of its kind"]
    assert [part for part in said if part not in text] == []


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = write(REPORT, tmp_path).read_text()
    sources = re.findall(r"""(?:src|href)=["']([^"']*)""", page)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"<script|<link|@import|url\(", page)


def test_what_is_filled_in_is_escaped(tmp_path: Path) -> None:
    page = write(replace(REPORT, reasons=["<b onload=x>"]), tmp_path).read_text()
    assert "<b onload" not in page


def test_the_summary_says_the_same_in_text(tmp_path: Path) -> None:
    text = write(REPORT, tmp_path).with_suffix(".txt").read_text()
    assert re.search(r"^p95 & more +below 50 ms +61.20 ms +MISSED$", text, re.MULTILINE)
    assert "why: p95 is 61.20 ms" in text


def test_the_history_shows_the_trend_and_the_last_good_one(tmp_path: Path) -> None:
    good = replace(REPORT, at=REPORT.at - 200, holds=True, about={"release": "1-good"})
    bad = replace(REPORT, at=REPORT.at - 100)
    elsewhere = replace(REPORT, at=REPORT.at - 50, kind="something else", holds=True)
    files = [write(each, tmp_path) for each in (good, bad, elsewhere)]
    page = write(REPORT, tmp_path).read_text()
    assert f'The last good one before: <a href="{files[0].name}"' in page
    assert "1-good" in page
    assert files[1].name in page
    assert files[2].name not in page
    # A picture for each promised figure that was known before, beside that of the section.
    assert page.count("<img ") == 3


def test_an_older_run_s_report_does_not_know_of_a_newer_one(tmp_path: Path) -> None:
    newer = write(REPORT, tmp_path)
    older = write(replace(REPORT, at=REPORT.at - 100), tmp_path)
    assert newer.name not in older.read_text()


def test_a_broken_file_of_the_history_is_passed_over(tmp_path: Path) -> None:
    write(replace(REPORT, at=REPORT.at - 100, holds=True), tmp_path)
    for number, content in enumerate(("{", "[]", "{}", '{"kind": "load test smoke of staging"}')):
        (tmp_path / f"broken-{number}.json").write_text(content)
    known = past(REPORT.kind, tmp_path)
    assert [each.at for each in known] == [REPORT.at - 100]
    assert last_good(known) == known[0]
    assert last_good([]) is None


@pytest.mark.parametrize(("holds", "word"), [(True, "PASS"), (False, "FAIL")])
def test_the_verdict_is_one_word_and_a_count(holds: bool, word: str) -> None:
    assert replace(REPORT, holds=holds).verdict == f"{word}: 1 of 2 promised figures hold"
