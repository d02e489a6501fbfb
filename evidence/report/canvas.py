"""An empty picture of the size and style that all pictures of a report have."""

from collections.abc import Callable
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dashboards.pictures.draw import Size

# Inches, at which letters can be read on a screen of 400 pixels and beside another picture on one of 1280.
SIZE = Size(width=4.6, height=3.1, dpi=160)
LETTERS = 9


def png(title: str, paint: Callable[[Axes], None], size: Size = SIZE) -> bytes:
    """Return a picture as PNG: `paint` draws into its axes."""
    figure = Figure(figsize=(size.width, size.height), dpi=size.dpi, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=11, fontweight="bold", loc="left")
    axes.tick_params(labelsize=LETTERS)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    paint(axes)
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
