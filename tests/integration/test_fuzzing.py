"""The running service against its own OpenAPI document: schemathesis, every check and every phase that it has."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.bootstrap import bootstrap
from tests.harness import PASSWORD
from tests.replicas import replicas
from tests.servers import ROOT, Database, Redis

pytestmark = pytest.mark.integration

CASES = 10_000
EXAMPLES = 440  # for each operation and phase; what comes of them is counted
ADMIN = "admin@fuzz.example.com"


async def test_ten_thousand_cases_find_nothing(migrated: Database, redis: Redis, tmp_path: Path) -> None:
    password = tmp_path / "admin_password"
    password.write_text(PASSWORD)
    await bootstrap(migrated.settings(admin_email=ADMIN, admin_password_file=password))
    with replicas(1, migrated, redis, tmp_path) as [replica]:
        report = fuzz(replica.url, tmp_path)
        answered = replica.metric("janua_request_latency_milliseconds_count")
        log = replica.log.read_text()
    # First, for it says why: nothing failed, also nothing that hid behind a problem document.
    assert [line for line in log.splitlines() if "unhandled_exception" in line or '"status": 5' in line] == []
    assert report["failures"] == []
    assert report["errors"] == []
    assert {name: phase["status"] for name, phase in report["phases"].items()} == {
        "examples": "success",
        "coverage": "success",
        "fuzzing": "success",
        "stateful": "success",
    }
    assert report["test_cases"]["generated"] >= CASES
    assert answered >= CASES


def fuzz(url: str, folder: Path) -> dict[str, Any]:
    """Run schemathesis with a fixed seed; its report."""
    report = folder / "report.json"
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/openapi.json"),
        *("--checks", "all", "--mode", "all", "--max-examples", str(EXAMPLES), "--seed", "1"),
        *("--continue-on-failure", "--report", "json", "--report-json-path", str(report)),
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.fuzzing_identities",
        "PYTHONPATH": str(ROOT),
        "FUZZED_URL": url,
        "FUZZED_ADMIN": ADMIN,
        "FUZZED_PASSWORD": PASSWORD,
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert report.exists(), done.stdout[-20_000:] + done.stderr[-2_000:]
    answer: dict[str, Any] = json.loads(report.read_text())
    return answer
