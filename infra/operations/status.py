"""`make status`: health of every part, URLs, versions, alerts that fire; `--json` prints one JSON object."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from typing import Any

from docker.models.containers import Container
from pulumi import automation

from infra.containers import PART_LABEL
from infra.operations import stacks
from infra.operations.up import URLS, gate_line
from infra.serving import REPLICA, serving

TIMEOUT_SECONDS = 5
# A smoke run that failed, and whose release somebody lets serve all the same.
OVERRIDDEN = "failed, overridden"
ELSEWHERE = "run by others"
STOPPED = "stopped"
# A replica whose release the gate refused: infra/refusal.py.
REFUSED = "refused"
WELL = ("healthy", "completed", "not deployed", ELSEWHERE, OVERRIDDEN, REFUSED)
# Parts that people reach, by the output that says where.
PART_URLS = {
    "edge": "api_url",
    "prometheus": "prometheus_url",
    "alertmanager": "alertmanager_url",
    "grafana": "grafana_url",
    "zipkin": "traces_url",
}


@dataclass(frozen=True)
class Part:
    """One container: `health` is the engine's word for it, `version` the tag of its image."""

    name: str
    health: str
    version: str
    url: str | None


@dataclass(frozen=True)
class Alert:
    """An alert that fires, since when (RFC 3339)."""

    name: str
    severity: str
    since: str


def parts(stack: str, outputs: dict[str, Any]) -> list[Part]:
    """Return every container of `stack`, the steps of its deployment included."""
    serves = serving(stack)
    found = [_part(container, outputs, serves=serves(container)) for container in stacks.containers(stack)]
    there = {part.name for part in found}
    if "grafana" not in there:
        found.append(_grafana_elsewhere(str(outputs.get("grafana_url"))))
    if "zipkin" not in there:
        found.append(Part("zipkin", "not deployed", "", None))
    return sorted(found, key=lambda part: part.name)


def alerts(alertmanager_url: str) -> list[Alert]:
    """Return the alerts that fire and are neither silenced nor inhibited; OSError if Alertmanager is unreachable."""
    address = f"{alertmanager_url}/api/v2/alerts?active=true&silenced=false&inhibited=false"
    with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - an output of our own stack
        found = json.load(answer)
    return [
        Alert(alert["labels"]["alertname"], alert["labels"].get("severity", "none"), alert["startsAt"])
        for alert in found
    ]


def _grafana_elsewhere(url: str) -> Part:
    """Return what stands for Grafana where no container of the stack is one: others run it, or nobody does."""
    return Part("grafana", ELSEWHERE, "", url) if url.startswith("http") else Part("grafana", "not deployed", "", None)


def _part(container: Container, outputs: dict[str, Any], *, serves: bool) -> Part:
    name = container.labels[PART_LABEL]
    health = _health(container)
    if name == "smoke" and health.startswith("failed") and outputs["gate"]["verdict"] == "override":
        health = OVERRIDDEN
    if health == STOPPED and name.startswith(REPLICA) and not serves:
        health = REFUSED
    tags = container.image.tags if container.image else []
    version = tags[0].rpartition(":")[2] if tags else str(container.attrs["Config"]["Image"])
    return Part(name, health, version, outputs.get(PART_URLS.get(name, "")))


def _health(container: Container) -> str:
    state = container.attrs["State"]
    if state["Status"] == "exited":
        if container.attrs["HostConfig"]["RestartPolicy"]["Name"] not in {"no", ""}:
            return STOPPED
        return "completed" if state["ExitCode"] == 0 else f"failed with exit code {state['ExitCode']}"
    return str(state.get("Health", {}).get("Status", state["Status"]))


def _text(stack: str, outputs: dict[str, Any], found: list[Part], firing: list[Alert] | None) -> str:
    lines = [f"Stack {stack}, release {outputs['release']}", ""]
    lines += [f"  {part.name:<20} {part.health:<14} {part.version:<42} {part.url or ''}".rstrip() for part in found]
    lines += ["", *(f"  {key:<20} {outputs[key]}" for key in outputs if key not in ("gate", "release"))]
    lines += ["", gate_line(outputs["gate"]), ""]
    return "\n".join([*lines, *_alert_lines(firing)])


def _alert_lines(firing: list[Alert] | None) -> list[str]:
    if firing is None:
        return ["  ALERTS UNKNOWN: Alertmanager does not answer"]
    return [f"  FIRING {alert.name} ({alert.severity}) since {alert.since}" for alert in firing] or ["  no alert fires"]


def main() -> int:
    """Print the state of the stack; return 1 if there is none, or if a part of it is not well or alerts are unknown."""
    parser = argparse.ArgumentParser(prog="infra.operations.status", description=__doc__)
    parser.add_argument("--stack", default="staging")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--secrets", action="store_true", help="show the secret outputs, too")
    parser.add_argument("--output", metavar="NAME", help="print this one output")
    options = parser.parse_args()
    try:
        outputs = stacks.outputs(stacks.select(options.stack), with_secrets=options.secrets)
    except automation.StackNotFoundError:
        outputs = {}
    if not set(URLS) <= outputs.keys():
        print(f"stack {options.stack} is not deployed: `make up` deploys it", file=sys.stderr)
        return 1
    if options.output:
        print(outputs[options.output])
        return 0
    found = parts(options.stack, outputs)
    firing = _firing(outputs["alertmanager_url"])
    if options.json:
        told = None if firing is None else [asdict(alert) for alert in firing]
        listed = {"parts": [asdict(part) for part in found], "alerts": told}
        print(json.dumps({**outputs, **listed}))
    else:
        print(_text(options.stack, outputs, found, firing))
    return 0 if firing is not None and all(part.health in WELL for part in found) else 1


def _firing(alertmanager_url: str) -> list[Alert] | None:
    """Return what fires, None if nobody can tell."""
    try:
        # Always firing is the watchdog's way of being well.
        return [alert for alert in alerts(alertmanager_url) if alert.name != "Watchdog"]
    except (urllib.error.URLError, OSError) as error:
        print(f"Alertmanager does not answer at {alertmanager_url}: {error}", file=sys.stderr)
        return None


if __name__ == "__main__":
    sys.exit(main())
