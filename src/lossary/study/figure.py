"""A report as a picture: the panels of its series, drawn with Matplotlib's object interface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossary.picture import DASHES, INK, PALETTE, STYLE, check, matplotlib, save
from lossary.study.report import Axis, Curve, Panel, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "D", "v", "P", "X", ".")
LEGEND: dict[str, Any] = {"frameon": True, "framealpha": 0.88, "edgecolor": "none", "fontsize": 8.5}
NOTE: dict[str, Any] = {"fontsize": 8.5, "color": "#555555"}
PANEL_INCHES = (5.4, 4.0)


def draw_report(report: Report, target: str | Path) -> None:
    """Draw all panels of ``report`` in one atomic step: four in a square, fewer in a row.

    Raises ``FileError`` unless the name ends in ``.png`` or ``.svg`` and its folder exists,
    ``MissingExtraError`` without Matplotlib.
    """
    path = Path(target)
    check(path)
    with matplotlib().rc_context(STYLE):
        from matplotlib.figure import Figure

        count = len(report.series)
        columns = count if count < 4 else 2
        rows = -(-count // columns)
        size = (PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows + 0.4)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).flat
        colours = assign_colours(report.series)
        for axes, panel in zip(grid, report.series, strict=True):
            draw_panel(axes, panel, colours)
        figure.suptitle(report.title, x=0.01, ha="left", fontweight="bold", fontsize=13)
        save(figure, path)


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
        axes.legend(loc=panel.legend, **LEGEND)


def strokes(curve: Curve, number: int) -> dict[str, Any]:
    """Return line and marker of a curve; shapes differ too, for readers who see no colours."""
    if curve.style == "points":
        return {"linestyle": "none", "marker": "o", "ms": 4.5, "markerfacecolor": "white"}
    fixed = {"solid": DASHES[0], "dashed": DASHES[1]}
    drawn: dict[str, Any] = {"linestyle": fixed.get(curve.style, DASHES[number % len(DASHES)])}
    if curve.style == "points and line":
        drawn |= {"marker": MARKERS[number % len(MARKERS)], "ms": 4.5}
    return drawn


def draw_annotations(axes: Axes, panel: Panel) -> None:
    """Draw reference lines with their labels on the line, and labelled points."""
    for level in panel.levels:
        line = axes.axvline if level.vertical else axes.axhline
        line(level.value, color="#8A8A8A", linewidth=1.1, linestyle=(0, (2, 2)), zorder=1.5)
        place = (level.value, 0.98) if level.vertical else (0.99, level.value)
        axes.annotate(
            level.label,
            place,
            xycoords=axes.get_xaxis_transform() if level.vertical else axes.get_yaxis_transform(),
            xytext=(4, 0) if level.vertical else (0, -3),
            textcoords="offset points",
            ha="left" if level.vertical else "right",
            va="top",
            **NOTE,
        )
    for mark in panel.marks:
        axes.plot([mark.x], [mark.y], "o", color=INK, ms=6, zorder=5)
        axes.annotate(
            mark.label, (mark.x, mark.y), xytext=(-8, 10), textcoords="offset points", ha="right",
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
