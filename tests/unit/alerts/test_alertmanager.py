"""alertmanager.yml tells those who are configured, holds no secret, and inhibits mere consequences."""

from typing import Any

import pytest
import yaml

from alerts import targets
from alerts.alertmanager import Email, Receivers, Slack, alertmanager_yaml, secret_files
from alerts.rules import alerts

ALERTS = alerts(targets.load())
EVERYBODY = Receivers(
    webhook_url="https://hooks.example.com/planted-webhook",
    email=Email("oncall@example.com", "janua@example.com", "mail:587", "janua", "planted-password"),
    pagerduty_routing_key="planted-key",
    slack=Slack("https://slack.example.com/planted-slack", "#alerts"),
    watchdog_url="https://switch.example.com/planted-switch",
)


def receivers(who: Receivers) -> dict[str, Any]:
    content = yaml.safe_load(alertmanager_yaml(who, ALERTS))
    return {receiver.pop("name"): receiver for receiver in content["receivers"]}


def test_pages_reach_everybody_and_tickets_all_but_pagerduty() -> None:
    told = receivers(EVERYBODY)
    ticket = {"webhook_configs", "slack_configs", "email_configs"}
    assert set(told["ticket"]) == ticket
    assert set(told["page"]) == {*ticket, "pagerduty_configs"}
    assert set(told["watchdog"]) == {"webhook_configs"}
    assert told["watchdog"] != {"webhook_configs": told["page"]["webhook_configs"]}


def test_without_receivers_alerts_are_visible_and_nobody_is_told() -> None:
    assert receivers(Receivers()) == {"visible": {}, "watchdog": {}, "page": {}, "ticket": {}}
    assert secret_files(Receivers()) == {}


def test_secrets_are_in_the_files_that_the_configuration_names_and_nowhere_else() -> None:
    text = alertmanager_yaml(EVERYBODY, ALERTS)
    files = secret_files(EVERYBODY)
    assert "planted" not in text
    assert len(files) == 5
    assert all("planted" in content for content in files.values())
    assert all(path.startswith("/run/secrets/") and path in text for path in files)


def test_mail_without_credentials_needs_no_secret() -> None:
    who = Receivers(email=Email("a@example.com", "b@example.com", "mail:25", require_tls=False))
    (mail,) = receivers(who)["page"]["email_configs"]
    assert "auth_password_file" not in mail
    assert mail["require_tls"] is False
    assert secret_files(who) == {}


def test_half_of_the_credentials_is_refused() -> None:
    with pytest.raises(ValueError, match="both username and password"):
        Email("a@example.com", "b@example.com", "mail:25", username="janua")


def test_an_alert_is_inhibited_by_each_that_explains_it() -> None:
    rules = yaml.safe_load(alertmanager_yaml(Receivers(), ALERTS))["inhibit_rules"]
    inhibited = {rule["target_matchers"][0]: rule for rule in rules}
    latency = inhibited['alertname="AuthLatencyHigh"']
    assert latency["source_matchers"] == ['alertname=~"PostgresDown|RedisDown|AuthLatencyBudgetBurn"']
    assert latency["equal"] == ["stack"]
    assert inhibited['alertname="MetricsAbsent"']["equal"] == ["stack", "job"]
    assert not any("PostgresDown" in target or "Watchdog" in target for target in inhibited)
