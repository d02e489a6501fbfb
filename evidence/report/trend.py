"""How the figures went from report to report, as pictures."""

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes

from dashboards.pictures.draw import COLOURS, Size
from evidence.report.canvas import LETTERS, SIZE, png
from evidence.report.document import Figure, Picture, Report
from evidence.report.history import Past

# Further back nobody compares.
REPORTS = 20
_FLAT = Size(SIZE.width, 2.2, SIZE.dpi)


def trend(report: Report, before: Sequence[Past]) -> list[Picture]:
    """Return a picture of each promised figure that an earlier report has a number of."""
    recent = before[-REPORTS:]
    followed = [figure for figure in report.figures if figure.holds is not None and figure.trend is not None]
    known = [figure for figure in followed if any(figure.name in past.figures for past in recent)]
    return [_picture(report, figure, recent) for figure in known]


def _picture(report: Report, figure: Figure, recent: Sequence[Past]) -> Picture:
    points = [(past.figures[figure.name], past.holds) for past in recent if figure.name in past.figures]
    points.append((figure.trend or 0.0, report.holds))
    about = f"of the last {len(points)} reports, green where all held; promised: {figure.promised}"
    return Picture(figure.name, f"{figure.name} {about}", png(figure.name, partial(_paint, points, figure.unit), _FLAT))


def _paint(points: Sequence[tuple[float, bool]], unit: str, axes: Axes) -> None:
    values = [value for value, _ in points]
    axes.plot(range(len(values)), values, color=COLOURS["text"], linewidth=1)
    colours = [COLOURS["green" if holds else "red"] for _, holds in points]
    axes.scatter(range(len(values)), values, c=colours, zorder=3)
    axes.set_ylim(0, 1.15 * max([*values, 1e-9]))
    axes.set_ylabel(unit, fontsize=LETTERS)
    axes.set_xticks([0, len(values) - 1], ["oldest", "this one"])
