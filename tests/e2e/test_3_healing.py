"""A replica that dies is missed by nobody; whatever is removed comes back with `pulumi refresh` and `pulumi up`."""

import secrets
from functools import partial

import pytest

from infra.readiness import is_well
from infra.waiting import until_it_answers
from tests.e2e.asking import asking
from tests.e2e.deployment import Deployment
from tests.e2e.test_1_staging import PASSWORD


def test_a_replica_that_is_killed_costs_no_request(staging: Deployment) -> None:
    with asking(staging) as answers:
        for part in ("service-1", "service-2"):
            (replica,) = staging.containers(part)
            replica.restart(timeout=0)
            until_it_answers(partial(_require_health, staging, part), (AssertionError,))
    answers.require_all_right()


def _require_health(staging: Deployment, part: str) -> None:
    (replica,) = staging.containers(part)
    assert is_well(replica)


@pytest.mark.parametrize(
    "parts",
    [
        ("postgres", "redis", "redis-exporter", "backup"),
        ("edge", "service-1", "postgres-exporter", "promote"),
        ("service-2", "prometheus", "alertmanager", "migrate", "verify-indexes", "smoke", "judge"),
    ],
    ids=" ".join,
)
def test_removed_containers_come_back(staging: Deployment, parts: tuple[str, ...]) -> None:
    email = f"kept-{secrets.token_hex(6)}@example.com"
    with staging.api() as api:
        assert api.post("/api/v1/auth/signup", json={"email": email, "password": PASSWORD}).status_code == 201
    for part in parts:
        for container in staging.containers(part):
            container.remove(force=True)
    assert staging.pulumi("refresh --yes").returncode == 0
    up = staging.pulumi("up --yes --skip-preview")
    assert up.returncode == 0, up.stdout
    health = {part["name"]: part["health"] for part in staging.outputs()["parts"]}
    assert {health[part] for part in parts} <= {"healthy", "completed"}
    with staging.api() as api:
        assert api.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD}).status_code == 200
    assert staging.pulumi("preview --expect-no-changes").returncode == 0
