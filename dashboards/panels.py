"""The two kinds of panel that the dashboards are made of: one figure, and figures over time."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.models import common, dashboard

DATA_SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="prometheus")

Panel = stat.Panel | timeseries.Panel

# The width of Grafana's grid.
COLUMNS = 24
# The window that Grafana chooses so that it always holds enough scrapes.
WINDOW = "$__rate_interval"

MILLISECONDS = "ms"
PERCENT = "percent"
REQUESTS_PER_SECOND = "reqps"
COUNT = "short"

NOTHING = "no data"


@dataclass(frozen=True)
class Series:
    """PromQL, and how its series are called in the legend."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Limit:
    """A target: figures have to stay below it, or above it."""

    value: float
    keep_above: bool = False

    def steps(self) -> list[dashboard.Threshold]:
        """Return the colours on both sides of the limit."""
        low, high = ("red", "green") if self.keep_above else ("green", "red")
        return [dashboard.Threshold(value=None, color=low), dashboard.Threshold(value=self.value, color=high)]


def figure(title: str, description: str, expression: str, unit: str, limit: Limit) -> stat.Panel:
    """Return a panel with the present value, green where the target holds and red where it does not."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .with_target(_query(Series(expression, title), "A"))
        .unit(unit)
        .thresholds(_thresholds(limit.steps()))
        .color_mode(common.BigValueColorMode.BACKGROUND)
        .graph_mode(common.BigValueGraphMode.AREA)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value(NOTHING)
        .mappings([_nothing_is_neutral()])
        .height(5)
    )


def graph(
    title: str, description: str, series: Sequence[Series], unit: str, limit: Limit | None = None
) -> timeseries.Panel:
    """Return a panel with lines over time, and the target as a dashed line across it."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .targets([_query(one, chr(ord("A") + index)) for index, one in enumerate(series)])
        .unit(unit)
        .min(0)
        .fill_opacity(8)
        .show_points(common.VisibilityMode.NEVER)
        .legend(_legend())
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .height(8)
    )
    if limit:
        style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(_thresholds(limit.steps())).thresholds_style(style)
    return panel


def _nothing_is_neutral() -> dashboard.SpecialValueMap:
    """Return the mapping that shows NaN, a ratio of nothing to nothing, in neither the good colour nor the bad one."""
    return dashboard.SpecialValueMap(
        options=dashboard.DashboardSpecialValueMapOptions(
            match=dashboard.SpecialValueMatch.NULL_AND_NAN,
            result=dashboard.ValueMappingResult(text=NOTHING, color="text", index=0),
        )
    )


def _query(series: Series, ref_id: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .expr(series.expression)
        .legend_format(series.legend)
        .ref_id(ref_id)
        .datasource(DATA_SOURCE)
        .range()
    )


def _thresholds(steps: list[dashboard.Threshold]) -> builders.ThresholdsConfig:
    return builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


def _legend() -> common_builders.VizLegendOptions:
    return (
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
