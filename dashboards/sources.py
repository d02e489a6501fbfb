"""The data sources: where Grafana asks for figures, alerts and traces. Their identifiers are fixed, panels use them."""

from dataclasses import dataclass
from typing import Any

import yaml

from dashboards import uids

# What the service attaches to a latency that a trace exists of, see `exemplars` in dashboards/panels.py.
TRACE_LABEL = "trace_id"


@dataclass(frozen=True)
class Addresses:
    """Base addresses as Grafana's server reaches them; the defaults are those within the stack's own network."""

    prometheus: str = "http://prometheus:9090"
    alertmanager: str = "http://alertmanager:9093"
    zipkin: str = "http://zipkin:9411"


def sources(addresses: Addresses, scrape_interval_seconds: int) -> list[dict[str, Any]]:
    """Return the data sources as Grafana's HTTP API takes them; provisioning files hold the same objects."""
    return [
        {
            **_source("Prometheus", uids.PROMETHEUS, addresses.prometheus),
            "isDefault": True,
            "jsonData": {
                "httpMethod": "POST",
                "manageAlerts": True,
                "prometheusType": "Prometheus",
                # $__rate_interval derives from it.
                "timeInterval": f"{scrape_interval_seconds}s",
                "exemplarTraceIdDestinations": [{"name": TRACE_LABEL, "datasourceUid": uids.ZIPKIN}],
            },
        },
        {
            **_source("Alertmanager", uids.ALERTMANAGER, addresses.alertmanager),
            "jsonData": {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
        },
        _source("Zipkin", uids.ZIPKIN, addresses.zipkin),
    ]


def _source(name: str, uid: str, url: str) -> dict[str, Any]:
    # The identifier is the name of the type as well: there is one data source of each.
    return {"name": name, "uid": uid, "type": uid, "access": "proxy", "url": url, "isDefault": False}


def provisioning(addresses: Addresses, scrape_interval_seconds: int) -> str:
    """Return the file that Grafana reads its data sources from."""
    listed = [{**source, "editable": False} for source in sources(addresses, scrape_interval_seconds)]
    return yaml.safe_dump({"apiVersion": 1, "datasources": listed}, sort_keys=False)
