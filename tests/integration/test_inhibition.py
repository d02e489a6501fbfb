"""A real Alertmanager with our configuration: a cause notifies, its consequences do not."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from alerts import targets
from alerts.alert import Severity
from alerts.alertmanager import Receivers, alertmanager_yaml
from alerts.rules import alerts
from infra.waiting import until_it_answers
from tests.servers import container

pytestmark = pytest.mark.integration

ALERTS = alerts(targets.load())
BY_NAME = {alert.name: alert for alert in ALERTS}


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("alertmanager")
    folder.chmod(0o755)
    configuration = folder / "alertmanager.yml"
    configuration.write_text(alertmanager_yaml(Receivers(), ALERTS))
    configuration.chmod(0o644)
    mounts = {str(configuration): {"bind": "/etc/alertmanager/alertmanager.yml", "mode": "ro"}}
    command = ["--config.file=/etc/alertmanager/alertmanager.yml", "--cluster.listen-address="]
    with (
        container("alertmanager", 9093, command=command, volumes=mounts, mem_limit="128m") as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        until_it_answers(lambda: client.get("/-/ready").raise_for_status(), (httpx.HTTPError,))
        yield client


def states(alertmanager: httpx.Client, names: list[str], stack: str) -> dict[str, str]:
    """Let these alerts fire in a stack: what becomes of each."""
    labels = [{"alertname": name, "stack": stack, "severity": BY_NAME[name].severity, "job": "node"} for name in names]
    alertmanager.post("/api/v2/alerts", json=[{"labels": each} for each in labels]).raise_for_status()
    found: list[dict[str, Any]] = alertmanager.get("/api/v2/alerts", params={"filter": f'stack="{stack}"'}).json()
    return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in found}


def become(alertmanager: httpx.Client, expected: dict[str, str], stack: str) -> bool:
    """Let these alerts fire in a stack, and wait until each is in the state that is expected of it."""
    for _ in range(100):
        found = states(alertmanager, [*expected], stack)
        if found == expected:
            return True
        time.sleep(0.1)
    print(found)
    return False


def test_a_dead_postgresql_pages_once(alertmanager: httpx.Client) -> None:
    # All requests fail, and all look-ups of the cache: no copy can be proven to be fresh.
    consequences = [
        "AuthLatencyBudgetBurn",
        "AuthLatencyHigh",
        "AuthOperationSlow",
        "CacheHitRateCollapsed",
        "CacheHitRateLow",
        "DatabasePoolSaturated",
        "ErrorBudgetBurn",
        "ErrorRateHigh",
        "QueriesPerRequestHigh",
        "ValidationLatencyBudgetBurn",
        "ValidationLatencyHigh",
    ]
    assert become(alertmanager, {"PostgresDown": "active", **dict.fromkeys(consequences, "suppressed")}, "postgres")


@pytest.mark.parametrize("cause", sorted({name for alert in ALERTS for name in alert.explained_by}))
def test_what_explains_an_alert_keeps_it_silent(alertmanager: httpx.Client, cause: str) -> None:
    consequences = [alert.name for alert in ALERTS if cause in alert.explained_by]
    assert become(alertmanager, {cause: "active", **dict.fromkeys(consequences, "suppressed")}, f"cause-{cause}")


def test_without_its_cause_each_alert_notifies(alertmanager: httpx.Client) -> None:
    for alert in ALERTS:
        if alert.severity is not Severity.NONE:
            assert become(alertmanager, {alert.name: "active"}, f"alone-{alert.name}")


def test_the_cause_in_another_stack_explains_nothing(alertmanager: httpx.Client) -> None:
    assert become(alertmanager, {"PostgresDown": "active"}, "one")
    assert become(alertmanager, {"AuthLatencyBudgetBurn": "active"}, "other")
    time.sleep(1)
    assert become(alertmanager, {"AuthLatencyBudgetBurn": "active"}, "other")
