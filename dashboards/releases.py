"""Releases as marks in every graph: where the gate judged one, with its name."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from alerts.metrics import GATE_JUDGED
from dashboards.panels import DATA_SOURCE


class _Annotation(dashboard.AnnotationQuery):
    """An annotation whose times are the values of a metric, for which the library has no fields."""

    def to_json(self) -> dict[str, object]:
        """Return what Grafana's Prometheus data source reads."""
        return {
            **super().to_json(),
            "step": "10s",
            "titleFormat": "Release {{release}}",
            "textFormat": "judged by the gate: {{verdict}}",
            "useValueForTime": "on",
        }


class _Releases(Builder[dashboard.AnnotationQuery]):
    def build(self) -> dashboard.AnnotationQuery:
        # Milliseconds are what Grafana counts time in.
        expression = f"{GATE_JUDGED} * 1000"
        return _Annotation(
            name="Releases", datasource=DATA_SOURCE, enable=True, icon_color="blue", expr=expression, built_in=None
        )


def annotation() -> Builder[dashboard.AnnotationQuery]:
    """Return the marks of the releases."""
    return _Releases()
