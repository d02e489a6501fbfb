"""A comparison from end to end: two stacks side by side, measured, told, and gone."""

import json
import re
from pathlib import Path

import docker

from tests.e2e.deployment import Deployment


def test_both_sides_are_deployed_measured_and_taken_down(tmp_path: Path) -> None:
    """In short rounds, which prove that it works, not that the promises are kept."""
    made = Deployment.create(tmp_path / "clone")
    selected = made.pulumi("stack --show-name").stdout
    run = made.shell(
        f"set +e; .venv/bin/python -m evidence.compare --quick --users 12000 --name {made.stack}; echo ended $?"
    )
    assert re.search(r"^ended [01]$", run.stdout, re.MULTILINE), run.stdout
    rows = dict(re.findall(r"^\| ([^|]+?) +\|[^|]*\| ([^|]+?) +\|", run.stdout, re.MULTILINE))
    assert rows.keys() >= {"all requests, p95", "validations, p95", "logins, p95", "CPU per request"}
    folder = Path(re.findall(r"^Results: (.+)$", run.stdout, re.MULTILINE)[-1])
    document = json.loads((folder / "results.json").read_text())
    found = {each["name"]: each for each in document["comparisons"]}
    # Without a cache every validation is a query, and with one hardly any.
    assert min(found["queries per request"]["baseline"]) > 0.9
    assert max(found["queries per request"]["optimized"]) < 0.5
    assert max(found["cache hit rate"]["baseline"]) == 0
    assert Path(re.findall(r"^Report: (.+)$", run.stdout, re.MULTILINE)[-1]).exists()
    left = [each.name for each in docker.from_env().containers.list(all=True) if made.stack in str(each.name)]
    assert left == []
    assert list(made.folder.glob(f"Pulumi.{made.stack}-*.yaml")) == []
    assert made.pulumi("stack --show-name").stdout == selected
