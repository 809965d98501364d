"""A report as a picture: the panels of its series, drawn with Matplotlib's object interface."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lossary.study.report import Axis, Curve, Panel, Report

# Okabe and Ito 2008, "Color Universal Design", without yellow, which fades on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9", "#7F7F7F")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", ".")
INK, FAINT = "#222222", "#8A8A8A"
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.9,
    "legend.frameon": True,
    "legend.framealpha": 0.88,
    "legend.edgecolor": "none",
    "legend.fontsize": 8.5,
    "svg.hashsalt": "lossary",
}
PANEL_INCHES = (5.4, 4.0)


def draw_report(report: Report, path: Path) -> Path:
    """Draw all panels of ``report`` side by side, at most three in a row."""
    kind = path.suffix.lower().removeprefix(".")
    if kind not in {"png", "svg"}:
        raise ValueError(f"figure {str(path)!r}: the suffix must be .png or .svg")
    write_atomically(path, render(report, kind))
    return path


def render(report: Report, kind: str) -> bytes:
    """Return the bytes of the figure, the same bytes for the same report."""
    from lossary.study.needs import need

    matplotlib = need("matplotlib", extra="plot")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(len(report.series), 3) if len(report.series) != 4 else 2
    rows = -(-len(report.series) // columns)
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows + 0.4), layout="constrained"
        )
        FigureCanvasAgg(figure)
        grid = list(figure.subplots(rows, columns, squeeze=False).flat)
        colours = assign_colours(report.series)
        for axes, panel in zip(grid, report.series, strict=False):
            draw_panel(axes, panel, colours)
        for axes in grid[len(report.series) :]:
            axes.set_visible(False)
        figure.suptitle(report.title, x=0.01, ha="left", fontweight="bold", fontsize=13)
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(buffer, format=kind, dpi=150, metadata=metadata)
    return buffer.getvalue()


def assign_colours(panels: tuple[Panel, ...]) -> dict[str, int]:
    """Number the curve labels, so that one label keeps one colour in every panel."""
    curves = [curve for panel in panels for curve in panel.curves]
    own = dict.fromkeys(curve.label for curve in curves if not curve.like)
    numbers = {label: index for index, label in enumerate(own)}
    return numbers | {curve.label: numbers[curve.like] for curve in curves if curve.like}


def draw_panel(axes: Axes, panel: Panel, colours: dict[str, int]) -> None:
    """Draw bands, curves, reference lines and marks of one panel."""
    axes.set_title(panel.title)
    set_axis(axes, "x", panel.x)
    set_axis(axes, "y", panel.y)
    for curve in panel.curves:
        number = colours[curve.label]
        colour = PALETTE[number % len(PALETTE)]
        y = [float("nan") if value is None else value for value in curve.y]
        axes.plot(curve.x, y, color=colour, label=curve.label, **strokes(curve, number))
        if curve.low is not None and curve.high is not None:
            axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.14, linewidth=0)
    draw_annotations(axes, panel)
    if panel.legend != "none" and len(panel.curves) > 1:
        axes.legend(loc=panel.legend)


def strokes(curve: Curve, number: int) -> dict[str, Any]:
    """Return line and marker of a curve; shapes differ too, for readers who see no colours."""
    if curve.style == "points":
        return {"linestyle": "none", "marker": "o", "ms": 4.5, "markerfacecolor": "white"}
    if curve.style == "points and line":
        return {"linestyle": "-", "marker": MARKERS[number % len(MARKERS)], "ms": 4.5}
    return {"linestyle": DASHES[1] if curve.style == "dashed" else DASHES[number % len(DASHES)]}


def draw_annotations(axes: Axes, panel: Panel) -> None:
    """Draw reference lines with their labels on the line, and labelled points."""
    for level in panel.levels:
        line = axes.axvline if level.vertical else axes.axhline
        line(level.value, color=FAINT, linewidth=1.1, linestyle=(0, (2, 2)), zorder=1.5)
        words: dict[str, Any] = {"fontsize": 8.5, "color": "#555555"}
        if level.vertical:
            position = axes.get_xaxis_transform()
            axes.text(level.value, 0.98, f" {level.label}", va="top", transform=position, **words)
        else:
            position = axes.get_yaxis_transform()
            axes.text(
                0.99, level.value, level.label, ha="right", va="top", transform=position, **words
            )
    for mark in panel.marks:
        axes.plot([mark.x], [mark.y], "o", color=INK, ms=6, zorder=5)
        axes.annotate(
            mark.label, (mark.x, mark.y), xytext=(-8, 6), textcoords="offset points", ha="right",
            fontsize=9,
        )  # fmt: skip


def set_axis(axes: Axes, which: str, axis: Axis) -> None:
    """Label, scale and limit one axis; a logarithmic axis prints 0.1, not a power of ten."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    scale: dict[str, Any] = {"linthresh": 0.1, "linscale": 0.4} if axis.scale == "symlog" else {}
    getattr(axes, f"set_{which}scale")(axis.scale, **scale)
    getattr(axes, f"set_{which}label")(axis.label)
    if axis.limits is not None:
        getattr(axes, f"set_{which}lim")(axis.limits)
    ticks = getattr(axes, f"{which}axis")
    if axis.scale != "linear":
        ticks.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        ticks.set_minor_formatter(NullFormatter())
    elif axis.whole:
        ticks.set_major_locator(MaxNLocator(integer=True))


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside ``path`` and rename, so that a reader never sees half a file."""
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"figure {str(path)!r}: the folder {str(path.parent)!r} does not exist; create it first"
        )
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o666 & ~current_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def current_umask() -> int:
    """Return the process's file mode mask; POSIX offers no way to read it without setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
