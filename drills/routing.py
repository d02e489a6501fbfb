"""Alertmanager's configuration with and without the drill's receiver, as text to text.

What was added is told by its name: taking it out needs no copy of what was there before.
"""

from typing import Any

import yaml

PREFIX = "drill-"
ROUTES = ("page", "ticket")


def with_drill(text: str, mailbox_url: str) -> str:
    """Return the configuration in which the drill hears what pages and tickets hear, when they hear it."""
    configuration = yaml.safe_load(without_drill(text))
    routes = configuration["route"]["routes"]
    twins = [_twin(route) for route in routes if route["receiver"] in ROUTES]
    configuration["route"]["routes"] = [*twins, *routes]
    configuration["receivers"] += [_receiver(name, mailbox_url) for name in ROUTES]
    return _text(configuration)


def without_drill(text: str) -> str:
    """Return the configuration without the drill's receivers and routes."""
    configuration = yaml.safe_load(text)
    routes = configuration["route"]["routes"]
    configuration["route"]["routes"] = [route for route in routes if not route["receiver"].startswith(PREFIX)]
    configuration["receivers"] = [one for one in configuration["receivers"] if not one["name"].startswith(PREFIX)]
    return _text(configuration)


def _twin(route: dict[str, Any]) -> dict[str, Any]:
    """Return the same route to the drill's receiver; whoever is meant to be told is told as well."""
    return {**route, "receiver": f"{PREFIX}{route['receiver']}", "continue": True}


def _receiver(name: str, mailbox_url: str) -> dict[str, Any]:
    return {
        "name": f"{PREFIX}{name}",
        "webhook_configs": [{"url": f"{mailbox_url}/{name}", "send_resolved": True}],
    }


def _text(configuration: dict[str, Any]) -> str:
    # As alerts/alertmanager.py writes it: taken out again, the file is what it was, to the byte.
    return yaml.safe_dump(configuration, sort_keys=False, width=110)
