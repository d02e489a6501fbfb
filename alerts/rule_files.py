"""The rules in the form that Prometheus reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

import yaml

from alerts.alert import Alert
from alerts.burn import require_boundaries
from alerts.recordings import Recording, recordings
from alerts.rules import alerts
from alerts.targets import Targets

DEFAULT_REPLICAS = 2
DEFAULT_SCRAPE_SECONDS = 5


@dataclass(frozen=True)
class Links:
    """Where the links on a page lead: bases without a trailing slash.

    The defaults are relative: the runbooks within this repository, the dashboard within Grafana. A stack that
    knows its addresses passes absolute ones.
    """

    runbooks: str = "alerts/runbooks"
    dashboards: str = "/d"

    def runbook(self, alert: str) -> str:
        """Return the address of the runbook of the alert of that name."""
        return f"{self.runbooks}/{alert}.md"

    def dashboard(self, uid: str) -> str:
        """Return the address of the dashboard with that identifier."""
        return f"{self.dashboards}/{uid}"


def rule_files(
    targets: Targets,
    replicas: int = DEFAULT_REPLICAS,
    links: Links | None = None,
    scrape_interval: int = DEFAULT_SCRAPE_SECONDS,
) -> dict[str, str]:
    """Return the rule files of a stack, name to text, for the directory /etc/prometheus/rules.

    `replicas` is how many replicas of the service are meant to run, ValueError if below 1; `scrape_interval` are the
    seconds between two scrapes. Raises TargetsError for a latency that the service's histograms cannot tell of.
    """
    if replicas < 1:
        raise ValueError(f"a stack has at least one replica, not {replicas}")
    require_boundaries(targets)
    recorded = recordings(targets, replicas, scrape_interval)
    return {
        "recordings.yml": _group("janua-recordings", [_recording(rule) for rule in recorded]),
        "alerts.yml": _group("janua-alerts", [_alert(rule, links or Links()) for rule in alerts(targets)]),
    }


def labels(alert: Alert) -> dict[str, str]:
    """Return the labels that the rule itself gives its alerts."""
    return {"severity": alert.severity.value, **alert.labels}


def annotations(alert: Alert, links: Links, figure: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations, `figure` being the value and `values` the labels that the summary names."""
    return {
        "summary": alert.summary.format(value=figure, **values),
        "runbook_url": links.runbook(alert.name),
        "dashboard_url": links.dashboard(alert.dashboard),
    }


def _alert(alert: Alert, links: Links) -> dict[str, object]:
    named = {name for _, name, _, _ in Formatter().parse(alert.summary) if name} - {"value"}
    templates = {name: f"{{{{ $labels.{name} }}}}" for name in sorted(named)}
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.pending,
        "labels": labels(alert),
        "annotations": annotations(alert, links, alert.figure, templates),
    }


def _recording(recording: Recording) -> dict[str, object]:
    added = {"labels": dict(recording.labels)} if recording.labels else {}
    return {"record": recording.name, "expr": recording.expression, **added}


def _group(name: str, rules: Sequence[dict[str, object]]) -> str:
    return yaml.safe_dump({"groups": [{"name": name, "rules": list(rules)}]}, sort_keys=False, width=110)
