"""Is everything there that the service is made of and depends on?"""

from alerts import recordings as record
from alerts.metrics import BUILD_INFO
from alerts.rule_files import Links
from dashboards import uids
from dashboards.panels import (
    COUNT,
    REQUESTS_PER_SECOND,
    WINDOW,
    Limit,
    Link,
    Panel,
    Series,
    down,
    figure,
    graph,
    linked,
    linked_rows,
    listing,
)
from dashboards.rows.figures import runbook

_NONE_ALLOWED = Limit(1)
_ALL_WANTED = Limit(1, keep_above=True)


def lines(links: Links) -> list[list[Panel]]:
    """Return what is up now, how releases and alerts changed over time, and where the runbooks of alerts are."""
    return [_dependencies(links), _changes(links), [_firing(links)]]


def _dependencies(links: Links) -> list[Panel]:
    return [
        linked(
            figure(
                "PostgreSQL",
                "1 if the exporter reaches PostgreSQL, 0 if not.",
                "min(pg_up)",
                COUNT,
                _ALL_WANTED,
            ),
            down("Database", uids.DATABASE),
            runbook(links, "PostgresDown"),
        ),
        linked(
            figure(
                "Redis",
                "1 if the exporter and every replica reach Redis, 0 if one of them does not.",
                "min(redis_up or janua_redis_up)",
                COUNT,
                _ALL_WANTED,
            ),
            down("Cache", uids.CACHE),
            runbook(links, "RedisDown"),
        ),
        linked(
            figure(
                "Replicas missing",
                "Replicas that should serve and that Prometheus or the edge does not see.",
                f"scalar({record.REPLICAS_EXPECTED}) - min({record.REPLICAS_UP})",
                COUNT,
                _NONE_ALLOWED,
            ),
            down("Deployments", uids.DEPLOYMENTS),
            runbook(links, "ReplicaMissing"),
        ),
        linked(
            figure(
                "Scrapes failing",
                "Targets of any kind that do not answer Prometheus.",
                "count(up == 0) or vector(0)",
                COUNT,
                _NONE_ALLOWED,
            ),
            down("Hosts", uids.HOSTS),
            runbook(links, "TargetDown"),
        ),
    ]


def _at_the_edge(counter: str, selector: str) -> str:
    return f"sum(rate(haproxy_{counter}_total{{{selector}}}[{WINDOW}]))"


def _changes(links: Links) -> list[Panel]:
    return [
        linked(
            graph(
                "Replicas by release",
                "During a deployment the new release comes up beside the old one.",
                [Series(f"count by (release) ({BUILD_INFO})", "{{release}}")],
                COUNT,
            ),
            down("Deployments", uids.DEPLOYMENTS),
        ),
        linked(
            graph(
                "Trouble at the edge",
                "Requests per second that the edge asked again, or of another replica, and those that clients got "
                "a 5xx for, a replica's or the edge's own. A replica's own metrics know its answers only.",
                [
                    Series(_at_the_edge("backend_retry_warnings", 'proxy="replicas"'), "asked again"),
                    Series(_at_the_edge("backend_redispatch_warnings", 'proxy="replicas"'), "asked of another replica"),
                    Series(_at_the_edge("frontend_http_responses", 'proxy="public",code="5xx"'), "answered with 5xx"),
                ],
                REQUESTS_PER_SECOND,
            ),
            runbook(links, "ReplicaMissing"),
        ),
        graph(
            "Firing alerts",
            "Alerts over time, the watchdog left out; empty while none fires.",
            [Series('count by (alertname) (ALERTS{alertstate="firing",severity!="none"})', "{{alertname}}")],
            COUNT,
        ),
    ]


def _firing(links: Links) -> Panel:
    return linked_rows(
        listing(
            "Alerts and their runbooks",
            "What fires now, the watchdog included; a click on a row's number opens the runbook of that alert.",
            'count by (alertname, severity) (ALERTS{alertstate="firing"})',
            COUNT,
            {"alertname": "Alert", "severity": "Severity", "Value": "Firing"},
        ),
        Link("Runbook", links.runbook("${__data.fields.Alert}")),
    )
