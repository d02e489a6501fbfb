"""The overview: do the targets hold, and if not, which route, tier or dependency is it."""

from itertools import chain

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard

from alerts.metrics import API_ROUTES, REQUEST_LATENCY
from alerts.rule_files import OVERVIEW_UID
from alerts.targets import Targets
from dashboards.panels import COLUMNS, DATA_SOURCE, Panel
from dashboards.rows import availability, figures, resources, routes, traces


def overview(targets: Targets) -> dashboard.Dashboard:
    """Return the overview dashboard; its thresholds are the targets."""
    board = (
        builders.Dashboard("Janua overview")
        .uid(OVERVIEW_UID)
        .description("Targets, routes, cache and database, and what the service depends on.")
        .tags(["janua"])
        .timezone("browser")
        .time("now-30m", "now")
        .refresh("10s")
        .readonly()
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .with_variable(_route())
    )
    rows = {
        "Targets": figures.lines(targets),
        "Availability": availability.lines(),
        "Routes": routes.lines(targets),
        "Cache and database": resources.lines(targets),
        "Traces": traces.lines(),
    }
    for title, lines in rows.items():
        board = board.with_row(builders.Row(title))
        for panel in chain.from_iterable(map(_side_by_side, lines)):
            board = board.with_panel(panel)
    return _numbered(board.build())


def _side_by_side(panels: list[Panel]) -> list[Panel]:
    """Let the panels share the width of the grid."""
    return [panel.span(COLUMNS // len(panels)) for panel in panels]


def _route() -> builders.QueryVariable:
    return (
        builders.QueryVariable("route")
        .label("Route")
        .description("The API routes that the panels of the row Routes show")
        .datasource(DATA_SOURCE)
        .query({"query": f"label_values({REQUEST_LATENCY}_count{{{API_ROUTES}}}, path)", "refId": "routes"})
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value("/api/v1/.*")
        .current(dashboard.VariableOption(selected=True, text="All", value="$__all"))
    )


def _numbered(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """Give the panels the identifiers that links to them use; Grafana would make up others at every load."""
    for number, panel in enumerate(board.panels or [], start=1):
        panel.id_val = number
    return board
