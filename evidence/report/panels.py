"""The dashboards as sections of a report: every panel over the time of the run, from its own query."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from alerts import targets
from alerts.rule_files import Links
from dashboards import uids
from dashboards.boards import documents
from dashboards.pictures.ask import Span
from dashboards.pictures.draw import draw, state, table_of
from dashboards.pictures.units import written
from evidence.report.canvas import SIZE
from evidence.report.document import Picture, Section, Table, Tile


def boards(span: Span) -> dict[str, Section]:
    """Return a folded section for each dashboard that has anything to show, by UID; OSError without Prometheus."""
    shown = [board for board in documents(targets.load(), Links()).values() if _is_used(board, span)]
    return {board["uid"]: _section(board["title"], board["description"], board["panels"], span) for board in shown}


def chosen(shown: Mapping[str, Section], wanted: Sequence[tuple[str, str]]) -> list[Picture]:
    """Return some of the pictures of `boards`, by their dashboards' UIDs and their titles. KeyError for a wrong one."""
    pictures = {(uid, picture.title): picture for uid, section in shown.items() for picture in section.pictures}
    return [pictures[place] for place in wanted]


def _is_used(board: Mapping[str, Any], span: Span) -> bool:
    """Tell whether a board has data: that of load tests has none of a deployment, whose k6 writes to no Prometheus."""
    return board["uid"] != uids.LOAD or bool(span.query("k6_vus"))


def _section(title: str, description: str, panels: Sequence[Mapping[str, Any]], span: Span) -> Section:
    of = {kind: [panel for panel in panels if panel["type"] == kind] for kind in ("stat", "timeseries", "table")}
    return Section(
        title,
        description,
        tiles=[_tile(panel, span) for panel in of["stat"]],
        pictures=[_picture(panel, span) for panel in of["timeseries"]],
        tables=[_table(panel, span) for panel in of["table"]],
        folded=True,
    )


def _tile(panel: Mapping[str, Any], span: Span) -> Tile:
    values = [value for line in span.lines(panel) for value in line.values]
    last = values[-1] if values else float("nan")
    text = written(last, panel["fieldConfig"]["defaults"]["unit"])
    return Tile(panel["title"], panel["description"], text, state(panel, last))


def _picture(panel: Mapping[str, Any], span: Span) -> Picture:
    file = BytesIO()
    draw(panel, span, file, SIZE)
    return Picture(panel["title"], panel["description"], file.getvalue())


def _table(panel: Mapping[str, Any], span: Span) -> Table:
    columns, rows = table_of(panel, span.lines(panel))
    return Table(panel["title"], panel["description"], columns, rows)
