"""Prometheus's configuration as a pure function of a few settings."""

from dataclasses import dataclass

import yaml

from alerts.metrics import (
    ALERTMANAGER_JOB,
    CADVISOR_JOB,
    EDGE_JOB,
    GRAFANA_JOB,
    NODE_JOB,
    POSTGRES_JOB,
    PROMETHEUS_JOB,
    REDIS_JOB,
    SERVICE_JOB,
)

RULES_DIRECTORY = "/etc/prometheus/rules"

_STATIC_TARGETS = {
    POSTGRES_JOB: "postgres-exporter:9187",
    REDIS_JOB: "redis-exporter:9121",
    EDGE_JOB: "edge:8404",
    PROMETHEUS_JOB: "prometheus:9090",
    ALERTMANAGER_JOB: "alertmanager:9093",
    NODE_JOB: "node-exporter:9100",
}
CADVISOR_TARGET = "cadvisor:8080"


@dataclass(frozen=True)
class Settings:
    """What differs from stack to stack.

    `stack` becomes the label of that name on every alert; a job for Grafana exists only where it is deployed.
    """

    stack: str
    grafana: bool = False
    scrape_interval_seconds: int = 5
    evaluation_interval_seconds: int = 5

    def __post_init__(self) -> None:
        """Refuse what Prometheus would refuse later, with ValueError."""
        if not self.stack:
            raise ValueError("stack must not be empty: alerts are grouped and inhibited by it")
        if min(self.scrape_interval_seconds, self.evaluation_interval_seconds) < 1:
            raise ValueError("the scrape and evaluation intervals are whole seconds, at least 1")


def prometheus_yaml(settings: Settings) -> str:
    """Return the text of prometheus.yml for these settings."""
    static = dict(_STATIC_TARGETS)
    if settings.grafana:
        static[GRAFANA_JOB] = "grafana:3000"
    configuration = {
        "global": {
            "scrape_interval": f"{settings.scrape_interval_seconds}s",
            "scrape_timeout": f"{settings.scrape_interval_seconds}s",
            "evaluation_interval": f"{settings.evaluation_interval_seconds}s",
            "external_labels": {"stack": settings.stack},
        },
        "rule_files": [f"{RULES_DIRECTORY}/*.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [_STATIC_TARGETS[ALERTMANAGER_JOB]]}]}]},
        "scrape_configs": [
            _replicas(settings.scrape_interval_seconds),
            *({"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in static.items()),
            _containers(settings.stack),
        ],
    }
    return yaml.safe_dump(configuration, sort_keys=False)


def _replicas(refresh_seconds: int) -> dict[str, object]:
    """Return the job that scrapes every address behind the name `service`.

    The edge would answer with one replica's counters at a time; a replica that comes or goes during a
    deployment has to be noticed within a scrape, hence the refresh.
    """
    discovery = {
        "names": ["service"],
        "type": "A",
        "port": 8000,
        "refresh_interval": f"{refresh_seconds}s",
    }
    return {"job_name": SERVICE_JOB, "dns_sd_configs": [discovery]}


def _containers(stack: str) -> dict[str, object]:
    """Return the job of cAdvisor, which sees every container of the host: those of `stack` are kept.

    Their label `part` is what they are here, `name` what the engine calls them: two replicas of different releases
    are the same part. What tells them apart beyond that (identifiers, images) would only be new series.
    """
    label = "container_label_com_janua_"
    return {
        "job_name": CADVISOR_JOB,
        "static_configs": [{"targets": [CADVISOR_TARGET]}],
        # Each sample says when it was taken; kept, a container that is gone would not end at once.
        "honor_timestamps": False,
        "metric_relabel_configs": [
            {"source_labels": [f"{label}stack"], "regex": stack, "action": "keep"},
            {"source_labels": [f"{label}part"], "target_label": "part"},
            {"regex": f"id|image|{label}.*", "action": "labeldrop"},
        ],
    }
