"""prometheus.yml scrapes each replica by itself, and everything else where it is."""

import re
from typing import Any

import pytest
import yaml

from alerts.prometheus import Settings, prometheus_yaml


def configuration(**settings: Any) -> Any:
    return yaml.safe_load(prometheus_yaml(Settings(stack="staging", **settings)))


def test_each_replica_is_found_by_its_address() -> None:
    service = configuration(scrape_interval_seconds=7)["scrape_configs"][0]
    assert service["job_name"] == "service"
    assert service["dns_sd_configs"] == [{"names": ["service"], "type": "A", "port": 8000, "refresh_interval": "7s"}]


def test_every_part_has_its_job_and_grafana_only_where_it_is_deployed() -> None:
    def targets(**settings: Any) -> dict[str, list[str]]:
        jobs = configuration(**settings)["scrape_configs"][1:]
        return {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}

    everything = {
        "postgres": ["postgres-exporter:9187"],
        "redis": ["redis-exporter:9121"],
        "edge": ["edge:8404"],
        "prometheus": ["prometheus:9090"],
        "alertmanager": ["alertmanager:9093"],
        "node": ["node-exporter:9100"],
        "cadvisor": ["cadvisor:8080"],
    }
    assert targets() == everything
    assert targets(grafana=True) == {**everything, "grafana": ["grafana:3000"]}


def test_of_all_containers_of_the_host_those_of_the_stack_are_kept() -> None:
    (job,) = (job for job in configuration()["scrape_configs"] if job["job_name"] == "cadvisor")
    keep, name, drop = job["metric_relabel_configs"]
    assert keep == {"source_labels": ["container_label_com_janua_stack"], "regex": "staging", "action": "keep"}
    assert name == {"source_labels": ["container_label_com_janua_part"], "target_label": "part"}
    assert re.fullmatch(drop["regex"], "container_label_com_janua_part")
    assert not re.fullmatch(drop["regex"], "name")


def test_alerts_go_to_alertmanager_with_the_name_of_the_stack() -> None:
    content = configuration()
    assert content["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]
    assert content["rule_files"] == ["/etc/prometheus/rules/*.yml"]
    assert content["global"]["external_labels"] == {"stack": "staging"}


def test_intervals_are_the_settings() -> None:
    content = configuration(scrape_interval_seconds=3, evaluation_interval_seconds=4)["global"]
    assert (content["scrape_interval"], content["scrape_timeout"]) == ("3s", "3s")
    assert content["evaluation_interval"] == "4s"


@pytest.mark.parametrize("wrong", [{"stack": ""}, {"scrape_interval_seconds": 0}])
def test_settings_that_prometheus_would_refuse_are_refused_here(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"stack|interval"):
        Settings(**{"stack": "staging", **wrong})
