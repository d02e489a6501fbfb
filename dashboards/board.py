"""What all dashboards have in common: how they are put together, refreshed, and linked with one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard

from dashboards import uids
from dashboards.panels import COLUMNS, DATA_SOURCE, Panel
from dashboards.queries import ALL_VALUES
from dashboards.releases import annotation

TAG = "janua"


@dataclass(frozen=True)
class Board:
    """A dashboard: `rows` are titles with lines of panels side by side."""

    uid: str
    title: str
    description: str
    rows: Mapping[str, list[list[Panel]]]
    variables: Sequence[builders.QueryVariable] = field(default=())

    def build(self) -> dashboard.Dashboard:
        """Return the dashboard in Grafana's form."""
        board = (
            builders.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .timezone("browser")
            .time("now-30m", "now")
            .refresh("10s")
            .readonly()
            .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
            .links([_overview(), _others()])
            .annotations([annotation()])
        )
        for variable in self.variables:
            board = board.with_variable(variable)
        for title, lines in self.rows.items():
            board = board.with_row(builders.Row(title))
            for panel in chain.from_iterable(map(_side_by_side, lines)):
                board = board.with_panel(panel)
        return _numbered(board.build())


def routes(metric: str, selector: str) -> builders.QueryVariable:
    """Return the variable `route`: the routes of `metric` that `selector` picks."""
    return _variable("route", f"{metric}{{{selector}}}", "path", "The API routes that the panels by route show")


def tenants_of(metric: str) -> builders.QueryVariable:
    """Return the variable `tenant`: the tenants of `metric`."""
    return _variable("tenant", metric, "tenant", "The tenants that the panels by tenant show")


def _variable(name: str, series: str, label: str, description: str) -> builders.QueryVariable:
    query: Any = {"query": f"label_values({series}, {label})", "refId": name}
    return (
        builders.QueryVariable(name)
        .label(name.capitalize())
        .description(description)
        .datasource(DATA_SOURCE)
        .query(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(ALL_VALUES[name])
        .current(dashboard.VariableOption(selected=True, text="All", value="$__all"))
    )


def _overview() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Overview").type(dashboard.DashboardLinkType.LINK).url(f"/d/{uids.OVERVIEW}")
    ).keep_time(True)


def _others() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Dashboards")
        .type(dashboard.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
    )


def _side_by_side(panels: list[Panel]) -> list[Panel]:
    """Let the panels share the width of the grid."""
    return [panel.span(COLUMNS // len(panels)) for panel in panels]


def _numbered(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Give the panels the identifiers that links to them use; Grafana would make up others at every load."""
    for number, panel in enumerate(board.panels or [], start=1):
        panel.id_val = number
    return board
