"""Prometheus itself parses every panel's query, and answers where releases follow each other."""

from pathlib import Path

import pytest
import yaml

from dashboards.queries import expressions
from tests.tools import run_in_image
from tests.unit.dashboards.test_dashboards import BOARDS

pytestmark = pytest.mark.integration


def test_promtool_parses_every_query(tmp_path: Path) -> None:
    # Grafana's variables, as Grafana would fill them in.
    filled = [expression.filled() for board in BOARDS.values() for expression in expressions(board)]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(filled)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    result = run_in_image("prometheus", ["promtool", "check", "rules", "/queries.yml"], {path: "/queries.yml"})
    assert result.returncode == 0, result.stderr
    assert f"{len(filled)} rules found" in result.stdout


def test_an_address_that_goes_from_one_release_to_the_next_keeps_its_panels(tmp_path: Path) -> None:
    answered = 'janua_request_latency_milliseconds_count{instance="10.0.0.2:8000",path="/api/v1/auth/login"}'
    info = 'janua_build_info{{instance="10.0.0.2:8000",release="{}"}}'
    # The first release's series has no stale marker: Prometheus looks back and finds both.
    given = {answered: "0+10x12", info.format("first"): "1x5 _x7", info.format("second"): "_x6 1x6"}
    (asked,) = (one for one in expressions(BOARDS["deployments"]) if one.panel == "Requests by release")
    case = {
        "interval": "5s",
        "input_series": [{"series": series, "values": values} for series, values in given.items()],
        "promql_expr_test": [
            {"expr": asked.filled(), "eval_time": "60s", "exp_samples": [{"labels": '{release="second"}', "value": 2}]}
        ],
    }
    path = tmp_path / "releases.yml"
    path.write_text(yaml.safe_dump({"tests": [case]}))
    result = run_in_image("prometheus", ["promtool", "test", "rules", "/releases.yml"], {path: "/releases.yml"})
    assert result.returncode == 0, result.stdout + result.stderr
