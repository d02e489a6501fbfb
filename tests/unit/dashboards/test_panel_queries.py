"""Prometheus itself parses every panel's query."""

from pathlib import Path

import pytest
import yaml

from tests.tools import run_in_image
from tests.unit.dashboards.test_dashboards import QUERIES

pytestmark = pytest.mark.integration


def test_promtool_parses_every_query(tmp_path: Path) -> None:
    # Grafana's variables, as Grafana would fill them in.
    filled = [query.replace("$__rate_interval", "1m").replace("$route", ".*") for query in QUERIES]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(filled)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    result = run_in_image("prometheus", ["promtool", "check", "rules", "/queries.yml"], {path: "/queries.yml"})
    assert result.returncode == 0, result.stderr
    assert f"{len(QUERIES)} rules found" in result.stdout
