"""Curves as a picture: loss, gradient and second derivative side by side, if that is not 0."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lossary import picture
from lossary.show.curves import PANELS, Curves, Request, trace
from lossary.show.shape import FLAT, flat, jumps, limits, titles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossary.engine import Loss

PANEL_INCHES = (4.3, 3.5)


def draw(losses: Sequence[Loss | Request], path: str | Path, **line: Any) -> Path:
    """Draw losses over a common axis to a PNG or SVG file and return its path.

    ``line`` holds the options of ``lossary.show.curves.trace``: ``over``, ``span``, ``classes``.
    Raises ``FileError`` for a path that cannot be written, ``PlotError`` for a loss that cannot be
    drawn so, and ``MissingExtraError`` without Matplotlib.

    >>> import lossary as L, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = draw([L.huber, L.log_cosh], pathlib.Path(folder, "curves.svg"), span=(-3, 3))
    ...     path.read_text(encoding="utf-8").count("second derivative")
    1
    """
    requests = [x if isinstance(x, Request) else Request(x) for x in losses]
    picture.check(Path(path))
    return write(trace(requests, **line), Path(path))


def write(curves: Curves, path: Path) -> Path:
    """Write the picture of curves that are computed already."""
    matplotlib = picture.matplotlib()
    picture.check(path)
    with matplotlib.rc_context(picture.STYLE):
        picture.save(figure(curves), path)
    return path


def figure(curves: Curves) -> Figure:
    """Return the figure: its panels, and a legend below if there are several losses."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    several = len(curves.curves) > 1
    rows = -(-len(curves.curves) // 3) if several else 0
    width, height = PANEL_INCHES
    drawing = Figure(figsize=(3 * width, height + 0.28 * rows), layout="constrained")
    FigureCanvasAgg(drawing)
    names = titles(curves)
    grid = drawing.subplots(1, len(names))
    for place, (axes, name) in enumerate(zip(grid, names, strict=True)):
        _panel(axes, curves, place)
        axes.set_title(name)
    if flat(curves):
        drawing.text(0.99, 0.99, f"{PANELS[2]}: {FLAT}", ha="right", va="top", fontsize=9)
    if several:
        handles, labels = grid[0].get_legend_handles_labels()
        columns = 2 if len(labels) == 4 else min(3, len(labels))  # four make a square
        drawing.legend(handles, labels, loc="outside lower center", ncols=columns)
    else:
        drawing.suptitle(curves.curves[0].label, x=0.01, ha="left", fontweight="bold")
    return drawing


def _panel(axes: Axes, curves: Curves, place: int) -> None:
    for number, curve in enumerate(curves.curves):
        colour = picture.PALETTE[number % len(picture.PALETTE)]
        dashes = picture.DASHES[number % len(picture.DASHES)]
        x, y = curve.x, curve.panels[place]
        jump, alone = jumps(y)
        after = np.flatnonzero(jump) + 1  # a NaN there breaks the line
        line = np.insert(x, after, x[after]), np.insert(y, after, np.nan)
        axes.plot(*line, color=colour, linestyle=dashes, label=curve.label)
        axes.plot(x[alone], y[alone], "o", color=colour, markersize=3.5)
    axes.set_xlim(curves.span)
    axes.set_ylim(limits([curve.panels[place] for curve in curves.curves]))
    axes.set_xlabel(curves.axis)
    axes.axhline(0, color="#B0B0B0", linewidth=0.9, zorder=1)
    if curves.span[0] < 0 < curves.span[1]:
        axes.axvline(0, color="#B0B0B0", linewidth=0.9, zorder=1)
