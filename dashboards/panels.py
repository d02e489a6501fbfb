"""The kinds of panel that the dashboards are made of: one figure, figures over time, and a list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards import uids

DATA_SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid=uids.PROMETHEUS)

Panel = stat.Panel | timeseries.Panel | table.Panel

# The width of Grafana's grid.
COLUMNS = 24
# The window that Grafana chooses so that it always holds enough scrapes.
WINDOW = "$__rate_interval"
# Drops NaN: the figures of routes and tenants without requests, of which there are many.
IN_USE = ">= 0"

MILLISECONDS = "ms"
SECONDS = "s"
PERCENT = "percent"
BYTES = "bytes"
BYTES_PER_SECOND = "Bps"
REQUESTS_PER_SECOND = "reqps"
PER_SECOND = "suffix:/s"
COUNT = "short"

NOTHING = "no data"


@dataclass(frozen=True)
class Series:
    """PromQL, and how its series are called in the legend; with `exemplars`, dots that lead to traces as well."""

    expression: str
    legend: str
    exemplars: bool = False


@dataclass(frozen=True)
class Limit:
    """A target: figures have to stay below it, or above it."""

    value: float
    keep_above: bool = False

    def steps(self) -> list[dashboard.Threshold]:
        """Return the colours on both sides of the limit."""
        low, high = ("red", "green") if self.keep_above else ("green", "red")
        return [dashboard.Threshold(value=None, color=low), dashboard.Threshold(value=self.value, color=high)]


@dataclass(frozen=True)
class Link:
    """Where to look further: another dashboard or a runbook."""

    title: str
    address: str


def down(title: str, uid: str) -> Link:
    """Return a link to the dashboard `uid` that keeps the time that is looked at."""
    return Link(title, f"/d/{uid}?${{__url_time_range}}")


def linked(panel: stat.Panel | timeseries.Panel, *links: Link) -> Panel:
    """Return the panel with links in its corner."""
    return panel.links(_links(links))


def figure(title: str, description: str, expression: str, unit: str, limit: Limit | None = None) -> stat.Panel:
    """Return a panel with the present value, green where the target holds and red where it does not."""
    mode = common.BigValueColorMode.BACKGROUND if limit else common.BigValueColorMode.NONE
    steps = limit.steps() if limit else [dashboard.Threshold(value=None, color="text")]
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .with_target(_query(Series(expression, title), "A").range())
        .unit(unit)
        .thresholds(_thresholds(steps))
        .color_mode(mode)
        .graph_mode(common.BigValueGraphMode.AREA)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value(NOTHING)
        .mappings([_nothing_is_neutral()])
        .height(5)
    )


# The end of an axis on which there is little: of seconds a whole one would hide what is counted in microseconds.
LEAST = {SECONDS: 0.0001}


def graph(
    title: str, description: str, series: Sequence[Series], unit: str, limit: Limit | None = None
) -> timeseries.Panel:
    """Return a panel with lines over time, and the target as a dashed line across it."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .targets([_query(one, chr(ord("A") + index)).range() for index, one in enumerate(series)])
        .unit(unit)
        .min(0)
        # The target is always in sight; where there is none and all is 0, Grafana would draw an axis up to 100.
        .axis_soft_max(1.1 * limit.value if limit else LEAST.get(unit, 1))
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


def ranked(panel: timeseries.Panel) -> timeseries.Panel:
    """Return a panel of many lines with a legend that can be read: a table, the line with the highest maximum first."""
    table_of_lines = _legend().display_mode(common.LegendDisplayMode.TABLE).calcs(["lastNotNull", "max"])
    return panel.legend(table_of_lines.sort_by("Max").sort_desc(True))


def listing(title: str, description: str, expression: str, unit: str, columns: Mapping[str, str]) -> table.Panel:
    """Return a panel with a row for each series as it is now, the largest value first.

    `columns` are the labels to show, and `Value`, by the headings that they get.
    """
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATA_SOURCE)
        .with_target(_query(Series(expression, ""), "A").format(PromQueryFormat.TABLE).instant())
        .with_transformation(_only(columns))
        .unit(unit)
        .sort_by([common_builders.TableSortByFieldState().display_name(columns["Value"]).desc(True)])
        .override_by_name(columns["Value"], [dashboard.DynamicConfigValue("custom.width", 150)])
        .no_value(NOTHING)
        .height(8)
    )


def linked_rows(panel: table.Panel, link: Link) -> table.Panel:
    """Return the panel with a link in each row; its address names a column as `${__data.fields.HEADING}`."""
    return panel.data_links(_links([link]))


def _only(columns: Mapping[str, str]) -> dashboard.DataTransformerConfig:
    """Return the transformation that shows `columns` in their order under their headings, without the time."""
    return dashboard.DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": {"Time": True},
            "indexByName": {name: place for place, name in enumerate(columns)},
            "renameByName": dict(columns),
        },
    )


def _nothing_is_neutral() -> dashboard.SpecialValueMap:
    """Return the mapping that shows NaN, a ratio of nothing to nothing, in neither the good colour nor the bad one."""
    return dashboard.SpecialValueMap(
        options=dashboard.DashboardSpecialValueMapOptions(
            match=dashboard.SpecialValueMatch.NULL_AND_NAN,
            result=dashboard.ValueMappingResult(text=NOTHING, color="text", index=0),
        )
    )


def _query(series: Series, ref_id: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().expr(series.expression).ref_id(ref_id).datasource(DATA_SOURCE)
    query = query.legend_format(series.legend) if series.legend else query
    return query.exemplar(True) if series.exemplars else query


def _links(links: Iterable[Link]) -> list[Builder[dashboard.DashboardLink]]:
    return [builders.DashboardLink(link.title).url(link.address) for link in links]


def _thresholds(steps: list[dashboard.Threshold]) -> builders.ThresholdsConfig:
    return builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


def _legend() -> common_builders.VizLegendOptions:
    return (
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
