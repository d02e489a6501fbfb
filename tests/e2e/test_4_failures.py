"""A step that fails fails `pulumi up` with its reason on the screen, and the release before goes on serving."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.database.tables import REQUIRED_REVISION
from tests.e2e.asking import asking
from tests.e2e.deployment import Deployment

BROKEN_MIGRATION = f'''
"""A migration that cannot succeed."""

revision = "999_broken"
down_revision = "{REQUIRED_REVISION}"


def upgrade() -> None:
    raise RuntimeError("the canary migration fails")


def downgrade() -> None:
    pass
'''
SLOW_VALIDATIONS = """

_glimpse = Identities.glimpse


def _after_a_while(self, token, tenant):
    import time

    time.sleep(0.03)
    return _glimpse(self, token, tenant)


Identities.glimpse = _after_a_while
"""
SILENT_SCRIPT = """
export const options = { vus: 1, iterations: 1 };
export default function () {}
"""


def assert_fails_and_keeps_serving(staging: Deployment, reason: str) -> None:
    before = staging.outputs()["release"]
    backend = _backend(staging)
    running = _running(staging)
    with asking(staging) as answers:
        result = staging.pulumi("up --yes --skip-preview")
    assert result.returncode != 0
    assert reason in result.stdout, result.stdout
    answers.require_all_right()
    assert _backend(staging) == backend
    assert _running(staging) == running
    assert staging.outputs()["release"] == before
    with staging.api() as api:
        assert api.get("/livez").status_code == 200
        assert api.get("/api/v1/auth/me").status_code == 401


def _running(staging: Deployment) -> set[str]:
    return {replica.id for replica in _replicas(staging) if replica.status == "running"}


def _replicas(staging: Deployment) -> list[Any]:
    return [replica for part in ("service-1", "service-2") for replica in staging.containers(part)]


def _backend(staging: Deployment) -> str:
    (edge,) = staging.containers("edge")
    return str(edge.exec_run(["cat", "/var/lib/edge/backend.cfg"]).output.decode())


def test_a_failing_migration(staging: Deployment, edited: Path) -> None:
    (edited / "migrations" / "versions" / "999_broken.py").write_text(BROKEN_MIGRATION)
    assert_fails_and_keeps_serving(staging, "the canary migration fails")


def test_a_failing_backup_leaves_the_means_to_make_one(staging: Deployment, edited: Path) -> None:
    """The second time, too: whoever repairs what made it fail makes a backup first, or restores one."""
    (edited / "infra" / "jobs" / "backup.sh").write_text("echo 'the canary backup fails'\nexit 1\n")
    for _ in range(2):
        assert_fails_and_keeps_serving(staging, "the canary backup fails")
    made = staging.shell("make backup")
    assert made.returncode == 0, made.stdout


def test_a_missed_threshold(staging: Deployment, edited: Path) -> None:
    targets = edited / "alerts" / "targets.json"
    content = json.loads(targets.read_text())
    content["k6"]["token_validation_latency_p95_ms"] = 0.001
    targets.write_text(json.dumps(content))
    assert_fails_and_keeps_serving(staging, "step 'smoke' failed with exit code 99")


def test_an_override_lets_that_one_release_serve_and_is_audited(staging: Deployment, edited: Path) -> None:
    targets = edited / "alerts" / "targets.json"
    content = json.loads(targets.read_text())
    content["k6"]["token_validation_latency_p95_ms"] = 0.0011
    targets.write_text(json.dumps(content))
    refused = staging.pulumi("up --yes --skip-preview").stdout
    [release] = set(re.findall(r"release (\S+) is not passed by the gate", refused))
    override = json.dumps({"release": release, "reason": "an end-to-end test wants it"})
    staging.configure("gateOverride", override)
    try:
        served = staging.pulumi("up --yes --skip-preview")
    finally:
        staging.pulumi("config rm janua:gateOverride").check_returncode()
    assert served.returncode == 0, served.stdout
    assert f"THE GATE IS OVERRIDDEN for release {release}" in served.stdout
    outputs = staging.outputs()
    assert (outputs["release"], outputs["gate"]["verdict"]) == (release, "override")
    assert "OVERRIDDEN" in Path(outputs["report"]).read_text()
    with staging.api() as api:
        admin = {"email": outputs["admin_email"], "password": outputs["admin_password"]}
        token = api.post("/api/v1/auth/login", json=admin).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        events = api.get("/api/v1/audit-logs", params={"event_type": "gate_overridden"}, headers=bearer).json()["items"]
    assert [(event["details"]["release"], event["details"]["reason"]) for event in events] == [
        (release, "an end-to-end test wants it")
    ]


def test_a_smoke_test_that_sends_nothing(staging: Deployment, edited: Path) -> None:
    """Its replicas are stopped and can be asked why: the stack is well."""
    (edited / "loadtest" / "k6" / "main.js").write_text(SILENT_SCRIPT)
    assert_fails_and_keeps_serving(staging, "step 'judge' failed with exit code 1")
    assert [replica.status for replica in _replicas(staging)].count("exited") == 2
    status = staging.shell("make status")
    assert status.returncode == 0, status.stdout
    assert status.stdout.count(" refused ") == 2


def test_an_image_that_crashes(staging: Deployment, edited: Path) -> None:
    """None of its replicas stays, not even stopped: its log is told."""
    before = _replicas(staging)
    (edited / "service" / "__main__.py").write_text("raise SystemExit('the canary image crashes')\n")
    assert_fails_and_keeps_serving(staging, "the canary image crashes")
    assert {replica.id for replica in _replicas(staging)} <= {replica.id for replica in before}


def test_a_candidate_that_answers_k6_but_is_slow_in_prometheus(staging: Deployment, edited: Path) -> None:
    """Slower than the target by far, and faster than what k6 refuses."""
    with (edited / "service" / "sessions" / "identities.py").open("a") as module:
        module.write(SLOW_VALIDATIONS)
    assert_fails_and_keeps_serving(staging, "validation p95")


def test_an_update_that_was_killed_is_gone_on_with(staging: Deployment, edited: Path) -> None:
    staging.configure("smokeDuration", "7s")
    with asking(staging) as answers:
        killed = _kill_in(staging, "smoke creating")
        resumed = staging.shell("make up")
    assert resumed.returncode == 0, resumed.stdout
    assert "removed the lock of process" in resumed.stdout, killed + resumed.stdout
    answers.require_all_right()
    for part in ("service-1", "service-2", "smoke", "edge"):
        assert len(staging.containers(part)) == 1, part
    assert staging.pulumi("preview --expect-no-changes").returncode == 0


def _kill_in(staging: Deployment, step: str) -> str:
    """Kill an update with signal 9 as soon as it says that; what it had said until then."""
    command = (
        f"source .janua/env && exec pulumi --non-interactive --color never up --yes --skip-preview -s {staging.stack}"
    )
    said = ""
    with subprocess.Popen(
        ["bash", "-c", command], cwd=staging.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            said += line
            if step in line:
                process.kill()
                break
        else:
            pytest.fail(said)
    return said


def test_the_next_good_release_is_deployed_and_clears_up(staging: Deployment) -> None:
    result = staging.pulumi("up --yes --skip-preview")
    assert result.returncode == 0, result.stdout
    assert len(staging.containers("service-1")) == 1
    assert staging.pulumi("preview --expect-no-changes").returncode == 0
