"""What documents name exists: files, headings, metrics, settings, keys, commands, panels."""

import json
import logging
import re
from pathlib import Path

import pytest

from alerts import metrics, targets
from alerts.recordings import recordings
from bench.__main__ import PARTS
from drills.catalogue import BY_NAME
from infra.config import ROOT, SET_BY_THE_STACK, StackConfig
from loadtest.load import TYPES
from service.app import create_app
from service.observability import request_log
from service.observability.context import RequestContext
from service.observability.logging import JsonFormatter
from service.settings import Settings
from tests.e2e.documents import blocks

GUIDES = sorted((ROOT / "docs").glob("*.md"))
RUNBOOKS = sorted((ROOT / "alerts" / "runbooks").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("[a-z]*/README.md")), *GUIDES, *RUNBOOKS]
BOARDS = {file.stem: json.loads(file.read_text()) for file in (ROOT / "dashboards" / "json").glob("*.json")}
# Read by the set-up, not by the service.
VARIABLES_OF_THE_SETUP = {"JANUA_HOST_CHANGES"}

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`]+`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PANEL = re.compile(r"\bpanel\s+\*([^*]+)\*(?:\s+of the dashboard \*(\w+)\*|\s+\((\w+)\))?", re.IGNORECASE)
EMPHASIS = re.compile(r"(?<!\*)\*(?![\s*])([^*]+)\*(?!\*)")
METRIC = re.compile(r"\bjanua_[a-z_]*[a-z]\b(?!_?\.\*)")
RECORDED = re.compile(r'"(janua:[^"]+)"')
SETTING = re.compile(r"\bJANUA_[A-Z][A-Z_]*[A-Z]\b")
GREP = re.compile(r"grep -E '([^']+)'")
KEY = re.compile(r"(?:`|config (?:set|rm|get)(?: --secret)? )janua:(\w+)")
SERVICE_OBJECT = re.compile(r"janua:service '(\{.*?\})'")
MAKE = re.compile(r"(?:`|^ *(?:\$ )?|&& )make (?:--silent )?([a-z][^`\n)|&#;]*)", re.MULTILINE)
FILE = re.compile(r"`([a-z]+/[\w./-]+\.(?:py|json|md|yml|sh|js))`")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def prose(document: Path) -> str:
    """The text without what is code, on one line."""
    return " ".join(CODE.sub("`", FENCED.sub("", document.read_text())).split())


def anchors(document: Path) -> set[str]:
    """The fragments by which the headings are reached."""
    titles = HEADING.findall(FENCED.sub("", document.read_text()))
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def exported() -> set[str]:
    """The names of all series of the service, and of what jobs of the stack leave for Prometheus."""
    names = {metrics.BACKUP_ATTEMPT, metrics.BACKUP_SUCCESS, *metrics.EXPORTED_METRICS}
    for family in create_app(Settings()).state.metrics.registry.collect():
        endings = {"histogram": ("", "_bucket", "_count", "_sum"), "counter": ("_total",)}.get(family.type, ("",))
        names |= {family.name + ending for ending in endings}
    return names


def targets_of_make() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def lines_of_the_service() -> dict[str, str]:
    """A request that failed and an error, as the service writes them."""
    request = RequestContext("a-request", "a-trace")
    failed = request_log._line((request, "GET", "/api/v1/auth/me", 503, 1.0), 0.0)
    error = logging.LogRecord("janua", logging.ERROR, "", 0, "unhandled_exception", None, None)
    return {"status": failed, "level": JsonFormatter().format(error)}


@pytest.mark.parametrize("document", RUNBOOKS, ids=lambda path: path.stem)
def test_what_is_looked_for_in_logs_is_how_the_service_writes_it(document: Path) -> None:
    lines = lines_of_the_service()
    for pattern in GREP.findall(document.read_text()):
        for member, line in lines.items():
            if f'"{member}"' in pattern:
                assert re.search(pattern, line), (pattern, line)


def test_there_are_guides() -> None:
    assert [path.stem for path in GUIDES] == ["monitoring", "performance-tuning", "troubleshooting"]
    assert all(blocks(path) for path in GUIDES)


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(FENCED.sub("", document.read_text())):
        if re.match(r"[a-z]+://", link):
            continue
        name, _, fragment = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


@each_document
def test_files_exist(document: Path) -> None:
    found = FILE.findall(FENCED.sub("", document.read_text()))
    assert [name for name in found if not any((base / name).exists() for base in (ROOT, document.parent))] == []


@pytest.mark.parametrize("document", [*GUIDES, *RUNBOOKS], ids=lambda path: path.stem)
def test_metrics_exist(document: Path) -> None:
    text = document.read_text()
    assert set(METRIC.findall(text)) - exported() - {Settings().database_app_role} == set()
    recorded = {recording.name for recording in recordings(targets.load(), 2, 5)}
    for pattern in RECORDED.findall(text):
        assert any(re.fullmatch(pattern, name) for name in recorded), pattern


@each_document
def test_settings_of_the_service_exist(document: Path) -> None:
    text = document.read_text()
    known = {f"JANUA_{name.upper()}" for name in Settings.model_fields}
    assert set(SETTING.findall(text)) - known - VARIABLES_OF_THE_SETUP == set()
    for given in SERVICE_OBJECT.findall(text):
        names = json.loads(given).keys()
        assert names <= Settings.model_fields.keys() - SET_BY_THE_STACK, given


@each_document
def test_keys_of_the_stack_exist(document: Path) -> None:
    known = {field.alias for field in StackConfig.model_fields.values()}
    assert set(KEY.findall(document.read_text())) - known == set()


@each_document
def test_commands_of_make_exist(document: Path) -> None:
    choices = {"ONLY": set(PARTS), "TYPE": set(TYPES), "NAME": {*BY_NAME, "all", "healthy", "clear"}}
    for command in MAKE.findall(document.read_text()):
        for word in command.split():
            name, is_setting, value = word.partition("=")
            if not is_setting:
                assert name in targets_of_make(), command
            elif name in choices and value.isascii():
                assert set(value.split(",")) <= choices[name], command


@pytest.mark.parametrize("document", [*GUIDES, *RUNBOOKS], ids=lambda path: path.stem)
def test_panels_exist(document: Path) -> None:
    """Named as `panel *Title* (cache)` or `panel *Title* of the dashboard *Cache*`, else it is the overview's."""
    for title, named, short in PANEL.findall(prose(document)):
        board = (named or short or "overview").lower()
        assert title in {panel["title"] for panel in BOARDS[board]["panels"]}, (board, title)


@pytest.mark.parametrize("document", GUIDES, ids=lambda path: path.stem)
def test_guides_emphasise_panels_only(document: Path) -> None:
    """So that none is named in a way that the test before does not see."""
    text = prose(document).replace("**", "")
    assert EMPHASIS.findall(text) == [title for title, _, _ in PANEL.findall(text)]
