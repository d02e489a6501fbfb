"""The tools of Prometheus and Alertmanager themselves accept the files, and run the tests of the rules."""

from pathlib import Path

import pytest

from alerts import targets
from alerts.alertmanager import Email, Receivers, Slack, alertmanager_yaml
from alerts.generate import HERE
from alerts.prometheus import Settings, prometheus_yaml
from alerts.rule_files import rule_files
from alerts.rules import alerts
from tests.tools import run_in_image

pytestmark = pytest.mark.integration

TARGETS = targets.load()
EVERYBODY = Receivers(
    webhook_url="https://hooks.example.com/x",
    email=Email("oncall@example.com", "janua@example.com", "mail:587", "janua", "secret"),
    pagerduty_routing_key="key",
    slack=Slack("https://slack.example.com/x", "#alerts"),
    watchdog_url="https://switch.example.com/x",
)


def promtool(*arguments: str, mounts: dict[Path, str]) -> str:
    result = run_in_image("prometheus", ["promtool", *arguments], mounts)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def amtool(*arguments: str, configuration: Path) -> str:
    result = run_in_image("alertmanager", ["amtool", *arguments], {configuration: "/alertmanager.yml"})
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def alertmanager_file(tmp_path: Path) -> Path:
    path = tmp_path / "alertmanager.yml"
    path.write_text(alertmanager_yaml(EVERYBODY, alerts(TARGETS)))
    return path


@pytest.mark.parametrize("alert", [alert.name for alert in alerts(TARGETS)])
def test_the_tests_of_an_alert_pass(alert: str) -> None:
    output = promtool("test", "rules", f"/alerts/tests/{alert}.yml", mounts={HERE: "/alerts"})
    assert output.count("SUCCESS") == 1


@pytest.mark.parametrize("grafana", [False, True])
def test_promtool_accepts_rules_and_configuration(tmp_path: Path, grafana: bool) -> None:
    for name, text in rule_files(TARGETS, replicas=3).items():
        (tmp_path / name).write_text(text)
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(prometheus_yaml(Settings(stack="staging", grafana=grafana)))
    rules = {tmp_path / name: f"/etc/prometheus/rules/{name}" for name in rule_files(TARGETS)}
    checked = "/etc/prometheus/prometheus.yml"
    promtool("check", "rules", "--lint=all", "--lint-fatal", *rules.values(), mounts=rules)
    output = promtool("check", "config", checked, mounts={configuration: checked, **rules})
    assert "2 rule files found" in output


def test_amtool_accepts_the_configuration_with_and_without_receivers(tmp_path: Path, alertmanager_file: Path) -> None:
    empty = tmp_path / "empty.yml"
    empty.write_text(alertmanager_yaml(Receivers(), alerts(TARGETS)))
    for path in (alertmanager_file, empty):
        assert "SUCCESS" in amtool("check-config", "/alertmanager.yml", configuration=path)


@pytest.mark.parametrize(
    ("alert", "severity", "receiver"),
    [
        ("PostgresDown", "page", "page"),
        ("CacheHitRateLow", "ticket", "ticket"),
        ("Watchdog", "none", "watchdog"),
        ("SomethingElse", "unheard-of", "visible"),
    ],
)
def test_an_alert_is_routed_by_its_severity(alertmanager_file: Path, alert: str, severity: str, receiver: str) -> None:
    amtool(
        "config",
        "routes",
        "test",
        "--config.file=/alertmanager.yml",
        f"--verify.receivers={receiver}",
        f"alertname={alert}",
        f"severity={severity}",
        "stack=staging",
        configuration=alertmanager_file,
    )
