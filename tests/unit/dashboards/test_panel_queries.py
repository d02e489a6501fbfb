"""Prometheus itself parses every panel's query."""

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
