"""The dashboards are current, laid out without gaps, described, and read only what exists."""

import json
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
import yaml

from alerts import targets
from alerts.metrics import OTHER_METRICS, SERVICE_METRICS
from alerts.recordings import recordings
from alerts.rules import alerts
from alerts.sync import stale
from dashboards.generate import HERE, generated
from dashboards.overview import overview
from service.app import create_app
from service.settings import Settings
from tests.unit.dashboards.promql import metrics

TARGETS = targets.load()
RECORDED = {recording.name for recording in recordings(replicas=2)}
OVERVIEW = json.loads((HERE / "json" / "overview.json").read_text())
PANELS = [panel for panel in OVERVIEW["panels"] if panel["type"] != "row"]
QUERIES = [query["expr"] for panel in PANELS for query in panel["targets"]]
EXPRESSIONS = [
    *QUERIES,
    *(recording.expression for recording in recordings(replicas=2)),
    *(alert.expression for alert in alerts(TARGETS)),
]

each_panel = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])


def test_the_json_is_current() -> None:
    assert stale(generated()) == []


def test_the_dashboard_keeps_its_address_and_its_panels_theirs() -> None:
    assert OVERVIEW["uid"] == "janua-overview"
    assert [panel["id"] for panel in OVERVIEW["panels"]] == list(range(1, len(OVERVIEW["panels"]) + 1))
    assert [variable["name"] for variable in OVERVIEW["templating"]["list"]] == ["route"]


@each_panel
def test_a_panel_has_description_unit_and_data_source(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
    assert all(query["datasource"] == panel["datasource"] for query in panel["targets"])


def test_a_figure_without_traffic_is_neither_good_nor_bad() -> None:
    """A ratio of nothing to nothing is NaN, which Grafana would show as it is, in the colour of the lowest step."""
    figures = [panel for panel in PANELS if panel["type"] == "stat"]
    assert figures
    for panel in figures:
        (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
        assert mapping["options"]["match"] == "null+nan"
        assert mapping["options"]["result"]["text"] == "no data"


def test_titles_are_unique() -> None:
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)


def test_every_line_of_panels_fills_the_grid() -> None:
    lines = defaultdict(list)
    for panel in OVERVIEW["panels"]:
        lines[panel["gridPos"]["y"]].append(panel["gridPos"])
    for line in lines.values():
        assert sum(place["w"] for place in line) == 24
        assert len({place["h"] for place in line}) == 1


@pytest.mark.parametrize(
    ("target", "title"),
    [
        ("auth_latency_p95_ms", "Auth p95"),
        ("validation_latency_p95_ms", "Validation p95"),
        ("queries_per_auth_request_max", "Queries per auth request"),
        ("cache_hit_rate_min_percent", "Cache hit rate"),
        ("error_rate_max_percent", "Error rate"),
        ("auth_operation_latency_p95_ms", "Auth operations"),
    ],
)
def test_a_target_is_the_threshold_of_its_panel(target: str, title: str) -> None:
    changes: dict[str, Any] = {target: 77}
    board = json.loads(json.dumps(overview(replace(TARGETS, **changes)), default=lambda part: part.to_json()))
    (panel,) = (panel for panel in board["panels"] if panel["title"] == title)
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == 77


def test_what_panels_and_rules_read_exists() -> None:
    read = set().union(*map(metrics, EXPRESSIONS))
    assert read - RECORDED - SERVICE_METRICS - OTHER_METRICS == set()


def test_what_is_recorded_or_named_is_read() -> None:
    read = set().union(*map(metrics, EXPRESSIONS))
    assert (RECORDED | SERVICE_METRICS | OTHER_METRICS) - read == set()


def test_the_service_exports_what_is_read_and_nothing_else_is_its_own() -> None:
    exposed = create_app(Settings()).state.metrics.registry
    names = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in exposed.collect()
        if family.name.startswith("janua_")
    }
    assert names == SERVICE_METRICS


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (path) (rate(a_total{job="x"}[5m])) / b', {"a_total", "b"}),
        ('histogram_quantile(0.95, sum by (le) (rate(h_bucket{path=~"/b/.*"}[1m])))', {"h"}),
        ("a * on (instance) group_left () c_count", {"a", "c"}),
        ("x:y:5m >= 3 and z == 1 or vector(0)", {"x:y:5m", "z"}),
    ],
)
def test_the_metrics_of_an_expression_are_found(expression: str, names: set[str]) -> None:
    assert metrics(expression) == names


def test_data_sources_have_the_identifiers_that_the_panels_use() -> None:
    sources = yaml.safe_load((HERE / "provisioning" / "datasources" / "janua.yml").read_text())["datasources"]
    assert {source["uid"]: source["url"] for source in sources} == {
        "prometheus": "http://prometheus:9090",
        "alertmanager": "http://alertmanager:9093",
    }


def test_dashboards_are_loaded_from_where_they_are_put() -> None:
    (provider,) = yaml.safe_load((HERE / "provisioning" / "dashboards" / "janua.yml").read_text())["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    assert provider["allowUiUpdates"] is False
