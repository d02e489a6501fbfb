"""How the figures went from report to report, as pictures."""

from collections.abc import Sequence
from io import BytesIO

from matplotlib.figure import Figure as Canvas

from dashboards.pictures.draw import COLOURS
from evidence.report.document import Figure, Picture, Report
from evidence.report.history import Past

# Further back nobody compares.
REPORTS = 20


def trend(report: Report, before: Sequence[Past]) -> list[Picture]:
    """Return a picture of each promised figure that an earlier report has a number of."""
    recent = before[-REPORTS:]
    followed = [figure for figure in report.figures if figure.holds is not None and figure.trend is not None]
    known = [figure for figure in followed if any(figure.name in past.figures for past in recent)]
    return [_picture(report, figure, recent) for figure in known]


def _picture(report: Report, figure: Figure, recent: Sequence[Past]) -> Picture:
    points = [(past.figures[figure.name], past.holds) for past in recent if figure.name in past.figures]
    points.append((figure.trend or 0.0, report.holds))
    values = [value for value, _ in points]
    canvas = Canvas(figsize=(4.6, 2.2), dpi=160, layout="constrained")
    axes = canvas.subplots()
    axes.set_title(figure.name, fontsize=10, fontweight="bold", loc="left")
    axes.plot(range(len(values)), values, color=COLOURS["text"], linewidth=1)
    colours = [COLOURS["green" if holds else "red"] for _, holds in points]
    axes.scatter(range(len(values)), values, c=colours, zorder=3)
    axes.set_ylim(0, 1.15 * max([*values, 1e-9]))
    axes.set_ylabel(figure.unit, fontsize=9)
    axes.set_xticks([0, len(values) - 1], ["oldest", "this one"], fontsize=9)
    axes.tick_params(labelsize=9)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    file = BytesIO()
    canvas.savefig(file)
    about = f"of the last {len(values)} reports, green where all held; promised: {figure.promised}"
    return Picture(figure.name, f"{figure.name} {about}", file.getvalue())
