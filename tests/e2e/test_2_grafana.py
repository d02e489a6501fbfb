"""A real Grafana shows the dashboards: its API has data for every panel, and its pages show no error.

Asked is the one that GRAFANA_URL names (GRAFANA_TOKEN, or GRAFANA_USER and GRAFANA_PASSWORD), into which the stack's
data sources and dashboards were loaded; without it the stack's own, where its image can be had.
"""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from alerts import targets
from alerts.rule_files import Links
from dashboards import uids
from dashboards.boards import documents
from dashboards.live import NOTHING_YET
from dashboards.queries import Expression, panel_expressions
from tests.grafana import Browser, Grafana, browser

BOARDS = {board["uid"]: board for board in documents(targets.load(), Links()).values()}
# Back to the smoke run of a stack that has served nobody since.
MINUTES = 60


@pytest.fixture(scope="module")
def grafana(request: pytest.FixtureRequest) -> Grafana:
    if given := Grafana.from_environment():
        return given
    outputs = request.getfixturevalue("staging").outputs()
    url = outputs["grafana_url"]
    if not url.startswith("http"):
        pytest.skip(f"GRAFANA_URL is not set, and the stack has no Grafana: {url}")
    return Grafana.with_password(url, "admin", outputs["grafana_password"])


@pytest.fixture(scope="module")
def pages(grafana: Grafana) -> Iterator[Browser]:
    with browser(grafana) as opened:
        yield opened


@pytest.mark.parametrize("uid", [uids.PROMETHEUS, uids.ALERTMANAGER, uids.ZIPKIN])
def test_a_data_source_is_provisioned(grafana: Grafana, uid: str) -> None:
    source = grafana.get(f"/datasources/uid/{uid}")
    assert (source["type"], source["access"]) == (uid, "proxy")


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_is_provisioned_as_it_is_here(grafana: Grafana, uid: str) -> None:
    found = grafana.get(f"/dashboards/uid/{uid}")
    assert found["meta"]["folderUid"] == uids.FOLDER
    assert [panel["title"] for panel in found["dashboard"]["panels"]] == [p["title"] for p in BOARDS[uid]["panels"]]


@pytest.mark.parametrize("uid", BOARDS)
def test_every_panel_s_query_returns_data(grafana: Grafana, uid: str) -> None:
    empty = [
        expression.place
        for expression, query in panel_expressions(BOARDS[uid])
        if not any(part in expression.promql for part in NOTHING_YET) and not _has_data(grafana, expression, query)
    ]
    assert empty == []


def _has_data(grafana: Grafana, expression: Expression, query: dict[str, Any]) -> bool:
    result = grafana.ask(expression, instant=query.get("instant", False), minutes=MINUTES)
    assert "error" not in result, f"{expression.place}: {result['error']}"
    columns = [column for frame in result["frames"] for column in frame["data"]["values"][1:]]
    return any(_is_number(value) for column in columns for value in column)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not math.isnan(value)


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_shows_no_error_in_a_browser(pages: Browser, uid: str) -> None:
    titles = [panel["title"] for panel in BOARDS[uid]["panels"]]
    pages.open(f"/d/{uid}?from=now-{MINUTES}m&to=now&kiosk&refresh=", titles)
    assert pages.troubles == []
    # What Grafana writes into a panel, or over the page, that it cannot show.
    text = pages.page.inner_text("body")
    for complaint in ("Panel plugin not found", "An unexpected error happened", "Dashboard not found", "Query error"):
        assert complaint not in text
    assert pages.page.locator('[data-testid*="Panel status error"], .panel-info-corner--error').count() == 0
