"""The dashboards are current, laid out without gaps, described, linked, and read only what exists."""

import json
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
import yaml

from alerts import targets
from alerts.metrics import EXPORTED_METRICS, K6_METRICS, OTHER_METRICS, SERVICE_METRICS
from alerts.recordings import recordings
from alerts.rule_files import Links
from alerts.rules import alerts
from alerts.sync import stale
from dashboards import boards, uids
from dashboards.generate import HERE, generated
from dashboards.queries import ALL_VALUES, expressions
from dashboards.selectors import metrics
from infra.config import ROOT
from service.app import create_app
from service.settings import Settings

TARGETS = targets.load()
RECORDED = {recording.name for recording in recordings(TARGETS, 2, 5)}
BOARDS = {file.stem: json.loads(file.read_text()) for file in sorted((HERE / "json").glob("*.json"))}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
]
READ_BY_PANELS = [expression.promql for board in BOARDS.values() for expression in expressions(board)]
EXPRESSIONS = [
    *READ_BY_PANELS,
    *(recording.expression for recording in recordings(TARGETS, 2, 5)),
    *(alert.expression for alert in alerts(TARGETS)),
]
# What the libraries of Python and Prometheus export by themselves, for a look by hand.
OF_THE_RUNTIME = ("python_", "process_")

each_panel = pytest.mark.parametrize("panel", PANELS)
each_board = pytest.mark.parametrize("name", BOARDS)


def test_what_grafana_loads_is_current() -> None:
    assert stale(generated()) == []


def test_every_dashboard_keeps_its_address() -> None:
    assert {name: board["uid"] for name, board in BOARDS.items()} == {
        "overview": "janua-overview",
        "cache": "janua-cache",
        "database": "janua-database",
        "hosts": "janua-hosts",
        "deployments": "janua-deployments",
        "load": "janua-load",
    }


@each_board
def test_every_panel_keeps_its_address(name: str) -> None:
    panels = BOARDS[name]["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))


@each_panel
def test_a_panel_has_description_unit_and_data_source(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
    assert all(query["datasource"] == panel["datasource"] for query in panel["targets"])


@each_panel
def test_a_figure_without_traffic_is_neither_good_nor_bad(panel: dict[str, Any]) -> None:
    """A ratio of nothing to nothing is NaN, which Grafana would show as it is, in the colour of the lowest step."""
    if panel["type"] == "stat":
        (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
        assert mapping["options"]["match"] == "null+nan"
        assert mapping["options"]["result"]["text"] == "no data"


@each_board
def test_titles_are_unique(name: str) -> None:
    titles = [panel["title"] for panel in BOARDS[name]["panels"]]
    assert len(set(titles)) == len(titles)


@each_board
def test_every_line_of_panels_fills_the_grid(name: str) -> None:
    lines = defaultdict(list)
    for panel in BOARDS[name]["panels"]:
        lines[panel["gridPos"]["y"]].append(panel["gridPos"])
    for line in lines.values():
        assert sum(place["w"] for place in line) == 24
        assert len({place["h"] for place in line}) == 1


@each_board
def test_every_dashboard_leads_back_to_the_overview_and_to_the_others(name: str) -> None:
    overview, others = BOARDS[name]["links"]
    assert overview["url"] == f"/d/{uids.OVERVIEW}"
    assert others["tags"] == BOARDS[name]["tags"] == ["janua"]


@each_board
def test_releases_are_marked(name: str) -> None:
    (annotation,) = BOARDS[name]["annotations"]["list"]
    assert annotation["expr"] == "janua_gate_judged_timestamp_seconds * 1000"
    assert annotation["useValueForTime"] == "on"
    assert annotation["titleFormat"] == "Release {{release}}"


def test_routes_and_tenants_can_be_chosen_where_panels_go_by_them() -> None:
    for name, board in BOARDS.items():
        asked = "".join(expression.promql for expression in expressions(board))
        chosen = [variable["name"] for variable in board["templating"].get("list", [])]
        assert chosen == [variable for variable in ALL_VALUES if f"${variable}" in asked], name
    assert [variable["name"] for variable in BOARDS["overview"]["templating"]["list"]] == ["route", "tenant"]


def test_links_of_panels_lead_to_dashboards_and_runbooks_that_exist() -> None:
    urls = {link["url"] for board in BOARDS.values() for panel in board["panels"] for link in panel.get("links", [])}
    down = {url.split("?")[0] for url in urls if url.startswith("/d/")}
    assert down == {f"/d/{board['uid']}" for board in BOARDS.values()} - {f"/d/{uids.OVERVIEW}"}
    runbooks = {url for url in urls if not url.startswith("/d/")}
    assert len(runbooks) >= 5
    assert [runbook for runbook in runbooks if not (ROOT / runbook).is_file()] == []


def test_an_alert_that_fires_has_its_runbook_one_click_away() -> None:
    texts = boards.texts(TARGETS, Links(runbooks="https://runbooks.test"))
    (panel,) = (p for p in json.loads(texts["overview.json"])["panels"] if p["title"] == "Alerts and their runbooks")
    (link,) = panel["fieldConfig"]["defaults"]["links"]
    assert link["url"] == "https://runbooks.test/${__data.fields.Alert}.md"


def test_latencies_by_histogram_show_exemplars() -> None:
    queries = [query for board in BOARDS.values() for panel in board["panels"] for query in panel.get("targets", [])]
    dotted = {query["expr"] for query in queries if query.get("exemplar")}
    for metric in ("janua_request_latency", "janua_auth_operation", "janua_revocation"):
        assert any(metric in expression for expression in dotted), metric
    assert all("histogram_quantile" in expression for expression in dotted)


@pytest.mark.parametrize(
    ("target", "board", "title"),
    [
        ("auth_latency_p95_ms", "overview", "Auth p95"),
        ("validation_latency_p95_ms", "overview", "Validation p95"),
        ("queries_per_auth_request_max", "overview", "Queries per auth request"),
        ("cache_hit_rate_min_percent", "overview", "Cache hit rate"),
        ("error_rate_max_percent", "overview", "Error rate"),
        ("auth_operation_latency_p95_ms", "overview", "Auth operations"),
        ("cache_hit_rate_min_percent", "cache", "Hit rate"),
        ("queries_per_auth_request_max", "database", "Queries per request"),
        ("auth_latency_p95_ms", "deployments", "Auth p95 by release"),
        ("error_rate_max_percent", "load", "Errors"),
        ("cache_hit_rate_min_percent", "load", "Cache hit rate"),
        ("queries_per_auth_request_max", "load", "Queries per auth request"),
    ],
)
def test_a_target_is_the_threshold_of_its_panel(target: str, board: str, title: str) -> None:
    changes: dict[str, Any] = {target: 77}
    text = boards.texts(replace(TARGETS, **changes), Links())[f"{board}.json"]
    (panel,) = (panel for panel in json.loads(text)["panels"] if panel["title"] == title)
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == 77


@pytest.mark.parametrize(
    ("target", "titles"),
    [
        ("signup_latency_p95_ms", ["Signup p95", "Signup latency"]),
        ("login_latency_p95_ms", ["Login p95", "Login latency"]),
        ("token_validation_latency_p95_ms", ["Validation p95", "Validation latency"]),
    ],
)
def test_k6_s_targets_are_those_of_the_load_test_s_panels(target: str, titles: list[str]) -> None:
    changes: dict[str, Any] = {target: 77}
    changed = replace(TARGETS, k6=replace(TARGETS.k6, **changes))
    panels = {panel["title"]: panel for panel in json.loads(boards.texts(changed, Links())["load.json"])["panels"]}
    for title in titles:
        assert panels[title]["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == 77


def test_the_budget_is_that_of_the_target() -> None:
    text = boards.texts(replace(TARGETS, auth_latency_p95_ms=75), Links())["overview.json"]
    (panel,) = (panel for panel in json.loads(text)["panels"] if panel["title"] == "Auth latency budget")
    assert 'le="75.0"' in panel["targets"][0]["expr"]


def test_what_panels_and_rules_read_exists() -> None:
    read = set().union(*map(metrics, EXPRESSIONS))
    assert read - RECORDED - SERVICE_METRICS - OTHER_METRICS - EXPORTED_METRICS - K6_METRICS == set()


def test_what_is_recorded_or_named_is_read() -> None:
    read = set().union(*map(metrics, EXPRESSIONS))
    assert (RECORDED | SERVICE_METRICS | OTHER_METRICS | EXPORTED_METRICS | K6_METRICS) - read == set()


def test_the_service_exports_what_is_read_and_nothing_else_is_its_own() -> None:
    exposed = create_app(Settings()).state.metrics.registry
    names = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in exposed.collect()
        if not family.name.startswith(OF_THE_RUNTIME)
    }
    assert names == SERVICE_METRICS


def test_data_sources_have_the_identifiers_that_the_panels_use() -> None:
    provisioned = yaml.safe_load((HERE / "provisioning" / "datasources" / "janua.yml").read_text())["datasources"]
    assert {source["uid"]: source["url"] for source in provisioned} == {
        "prometheus": "http://prometheus:9090",
        "alertmanager": "http://alertmanager:9093",
        "zipkin": "http://zipkin:9411",
    }
    (prometheus,) = (source for source in provisioned if source["isDefault"])
    (destination,) = prometheus["jsonData"]["exemplarTraceIdDestinations"]
    assert destination == {"name": "trace_id", "datasourceUid": "zipkin"}


def test_dashboards_are_loaded_from_where_they_are_put() -> None:
    (provider,) = yaml.safe_load((HERE / "provisioning" / "dashboards" / "janua.yml").read_text())["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    assert (provider["folderUid"], provider["allowUiUpdates"]) == (uids.FOLDER, False)
