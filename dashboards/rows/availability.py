"""Is everything there that the service is made of and depends on?"""

from alerts import recordings as record
from alerts.metrics import BUILD_INFO
from dashboards.panels import COUNT, Limit, Panel, Series, figure, graph

_NONE_ALLOWED = Limit(1)
_ALL_WANTED = Limit(1, keep_above=True)


def lines() -> list[list[Panel]]:
    """Return what is up now, and how releases and alerts changed over time."""
    return [_dependencies(), _changes()]


def _dependencies() -> list[Panel]:
    return [
        figure(
            "PostgreSQL",
            "1 if the exporter reaches PostgreSQL, 0 if not.",
            "min(pg_up)",
            COUNT,
            _ALL_WANTED,
        ),
        figure(
            "Redis",
            "1 if the exporter and every replica reach Redis, 0 if one of them does not.",
            "min(redis_up or janua_redis_up)",
            COUNT,
            _ALL_WANTED,
        ),
        figure(
            "Replicas missing",
            "Replicas that should serve and that Prometheus or the edge does not see.",
            f"scalar({record.REPLICAS_EXPECTED}) - min({record.REPLICAS_UP})",
            COUNT,
            _NONE_ALLOWED,
        ),
        figure(
            "Scrapes failing",
            "Targets of any kind that do not answer Prometheus.",
            "count(up == 0) or vector(0)",
            COUNT,
            _NONE_ALLOWED,
        ),
    ]


def _changes() -> list[Panel]:
    return [
        graph(
            "Replicas by release",
            "During a deployment the new release comes up beside the old one.",
            [Series(f"count by (release) ({BUILD_INFO})", "{{release}}")],
            COUNT,
        ),
        graph(
            "Firing alerts",
            "Alerts over time, empty while none fires; the runbook of each is called after it.",
            [Series('count by (alertname) (ALERTS{alertstate="firing",severity!="none"})', "{{alertname}}")],
            COUNT,
        ),
    ]
