"""Alertmanager's configuration as a pure function of who is to be told."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from alerts.alert import Alert, Severity

SECRETS_DIRECTORY = "/run/secrets"

_WEBHOOK_URL = f"{SECRETS_DIRECTORY}/alertmanager_webhook_url"
_WATCHDOG_URL = f"{SECRETS_DIRECTORY}/alertmanager_watchdog_url"
_PAGERDUTY_KEY = f"{SECRETS_DIRECTORY}/alertmanager_pagerduty_key"
_SLACK_URL = f"{SECRETS_DIRECTORY}/alertmanager_slack_url"
_EMAIL_PASSWORD = f"{SECRETS_DIRECTORY}/alertmanager_email_password"

# Slack's and PagerDuty's own templates leave out what a person needs first: the figure and the runbook.
_TEXT = "{{ range .Alerts }}{{ .Annotations.summary }}\nrunbook: {{ .Annotations.runbook_url }}\n{{ end }}"


@dataclass(frozen=True)
class Email:
    """A mailbox and the server (`host:port`) that takes mail for it; a user name goes with a password."""

    to: str
    sender: str
    smarthost: str
    username: str | None = None
    password: str | None = None
    require_tls: bool = True

    def __post_init__(self) -> None:
        """Refuse half of the credentials, with ValueError."""
        if (self.username is None) != (self.password is None):
            raise ValueError("an e-mail receiver needs both username and password, or neither")


@dataclass(frozen=True)
class Slack:
    """A channel and the incoming webhook that posts to it."""

    api_url: str
    channel: str


@dataclass(frozen=True)
class Receivers:
    """Who is told; whatever is None is not told.

    `watchdog_url` is the dead man's switch: it is called every minute and has to raise the alarm when the
    calls stop.
    """

    webhook_url: str | None = None
    email: Email | None = None
    pagerduty_routing_key: str | None = None
    slack: Slack | None = None
    watchdog_url: str | None = None


def secret_files(receivers: Receivers) -> dict[str, str]:
    """Return the files, path to content, that the configuration of these receivers refers to."""
    contents = {
        _WEBHOOK_URL: receivers.webhook_url,
        _WATCHDOG_URL: receivers.watchdog_url,
        _PAGERDUTY_KEY: receivers.pagerduty_routing_key,
        _SLACK_URL: receivers.slack.api_url if receivers.slack else None,
        _EMAIL_PASSWORD: receivers.email.password if receivers.email else None,
    }
    return {path: content for path, content in contents.items() if content is not None}


def alertmanager_yaml(receivers: Receivers, alerts: Sequence[Alert]) -> str:
    """Return the text of alertmanager.yml; it holds no secret, only the paths of `secret_files`.

    `alerts` tell what explains what: a consequence is inhibited while its cause fires. An alert that nobody
    is configured for reaches a receiver without integrations and stays visible in Alertmanager's own pages.
    """
    configuration = {
        "route": {
            "receiver": "visible",
            "group_by": ["alertname", "stack"],
            "group_wait": "10s",
            "group_interval": "1m",
            "repeat_interval": "4h",
            "routes": [
                # Sent at the third look of each minute: a repetition that is due when Alertmanager looks may be a
                # moment too early, and then waits for the next look.
                _route(
                    'alertname="Watchdog"', "watchdog", group_wait="0s", group_interval="20s", repeat_interval="50s"
                ),
                # A page that waits for others to come with it is late.
                _route(f'severity="{Severity.PAGE}"', "page", group_wait="5s", group_interval="30s"),
                _route(f'severity="{Severity.TICKET}"', "ticket", repeat_interval="24h"),
            ],
        },
        "inhibit_rules": [_inhibition(alert) for alert in alerts if alert.explained_by],
        "receivers": [
            {"name": "visible"},
            {"name": "watchdog", **_webhook(receivers.watchdog_url, _WATCHDOG_URL)},
            {"name": "page", **_told(receivers), **_pagerduty(receivers.pagerduty_routing_key)},
            {"name": "ticket", **_told(receivers)},
        ],
    }
    return yaml.safe_dump(configuration, sort_keys=False, width=110)


def _route(matcher: str, receiver: str, **timing: str) -> dict[str, object]:
    return {"matchers": [matcher], "receiver": receiver, **timing}


def _inhibition(alert: Alert) -> dict[str, object]:
    return {
        "source_matchers": [f'alertname=~"{"|".join(alert.explained_by)}"'],
        "target_matchers": [f'alertname="{alert.name}"'],
        "equal": list(alert.explained_within),
    }


def _told(receivers: Receivers) -> dict[str, object]:
    """Return the integrations that hear of pages and tickets alike."""
    return {
        **_webhook(receivers.webhook_url, _WEBHOOK_URL),
        **_slack(receivers.slack),
        **_email(receivers.email),
    }


def _webhook(url: str | None, path: str) -> dict[str, object]:
    return {"webhook_configs": [{"url_file": path, "send_resolved": True}]} if url else {}


def _slack(slack: Slack | None) -> dict[str, object]:
    if slack is None:
        return {}
    message = {"api_url_file": _SLACK_URL, "channel": slack.channel, "send_resolved": True, "text": _TEXT}
    return {"slack_configs": [message]}


def _email(email: Email | None) -> dict[str, object]:
    if email is None:
        return {}
    message: dict[str, object] = {
        "to": email.to,
        "from": email.sender,
        "smarthost": email.smarthost,
        "require_tls": email.require_tls,
        "send_resolved": True,
    }
    if email.username is not None:
        message |= {"auth_username": email.username, "auth_password_file": _EMAIL_PASSWORD}
    return {"email_configs": [message]}


def _pagerduty(routing_key: str | None) -> dict[str, object]:
    if routing_key is None:
        return {}
    incident = {
        "routing_key_file": _PAGERDUTY_KEY,
        "send_resolved": True,
        "severity": "critical",
        "description": "{{ .CommonLabels.alertname }}: {{ (index .Alerts 0).Annotations.summary }}",
        "details": {"summaries": _TEXT},
    }
    return {"pagerduty_configs": [incident]}
