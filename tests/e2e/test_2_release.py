"""A second release: its steps run again, its replicas replace the first one's, and nothing is lost."""

import os
import secrets

from tests.e2e.asking import asking
from tests.e2e.deployment import Deployment
from tests.e2e.test_1_staging import PASSWORD

# Each takes three quarters of a minute under this load: `JANUA_E2E_RELEASES=10` for as many as the promise names.
RELEASES = int(os.environ.get("JANUA_E2E_RELEASES", "3"))


def test_a_changed_setting_is_a_new_release(staging: Deployment) -> None:
    first = staging.outputs()
    body = {"email": f"kept-{secrets.token_hex(6)}@example.com", "password": PASSWORD}
    with staging.api() as api:
        assert api.post("/api/v1/auth/signup", json=body).status_code == 201
    old = {container.id for container in staging.containers("service-1")}
    # Short, for the releases of the tests that follow.
    staging.configure("smokeDuration", "5s")
    with asking(staging) as answers:
        up = staging.pulumi("up --yes --skip-preview")
    assert up.returncode == 0, up.stdout
    answers.require_all_right()
    second = staging.outputs()
    assert second["release"] != first["release"]
    assert second["gate"]["figures"]["k6_requests"] < first["gate"]["figures"]["k6_requests"]
    (replica,) = staging.containers("service-1")
    assert replica.id not in old
    with staging.api() as api:
        assert api.post("/api/v1/auth/login", json=body).status_code == 200


def test_releases_in_a_row_lose_no_request(staging: Deployment) -> None:
    releases = [staging.outputs()["release"]]
    with asking(staging) as answers:
        for number in range(RELEASES):
            staging.configure_service(max_body_bytes=64_000 + number)
            up = staging.pulumi("up --yes --skip-preview")
            assert up.returncode == 0, up.stdout
            releases.append(staging.pulumi("stack output release").stdout.strip())
    answers.require_all_right()
    assert len(set(releases)) == RELEASES + 1


def test_plain_pulumi_goes_back_to_an_earlier_release(staging: Deployment) -> None:
    present = staging.outputs()["release"]
    staging.configure_service()
    with asking(staging) as answers:
        up = staging.pulumi("up --yes --skip-preview")
    assert up.returncode == 0, up.stdout
    answers.require_all_right()
    assert staging.outputs()["release"] != present


def test_the_data_was_dumped_before_the_migration(staging: Deployment) -> None:
    dump = max((staging.folder / "backups").glob(f"{staging.stack}-*.dump"))
    assert dump.stat().st_mode & 0o077 == 0
    assert dump.read_bytes().startswith(b"PGDMP")
    (backup,) = staging.containers("backup")
    assert dump.name in backup.logs().decode()
