"""One picture of a benchmark: our time over the peer's, case by case, with what is lost in red.

A panel is a framework, a line is a case, and a dot is a way through Lossary in that framework's
peer's place. Left of 1 we are faster.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossary.bench.pairs import PAIRS, Pair, Ratio, ratios
from lossary.bench.results import Results
from lossary.bench.work import BOOSTING, TRAINING, VALUE, Case
from lossary.picture import INK, PALETTE, STYLE, check, matplotlib, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WON, LOST = PALETTE[0], "#C40233"
SHADE = "#FBE9EC"
MARKERS = ("o", "D")  # of the first and the second way within a framework
LINE, PANEL, LABELS, MARGIN = 0.215, 1.75, 2.6, 2.0  # inches
NARROW = 7.5  # inches, in which the title has room
NARROWEST = 8.0  # the axis reaches at least from an eighth to eight


def draw_ratios(results: Results, target: str | Path) -> None:
    """Draw the ratios of all float32 cases in one atomic step.

    Raises ``FileError`` unless the name ends in ``.png`` or ``.svg`` and its folder exists,
    ``MissingExtraError`` without Matplotlib.
    """
    path = Path(target)
    check(path)
    found = shown(results)
    cases = ordered(one.outcome.case for one in found)
    frameworks = [name for name in dict.fromkeys(p.framework for p in PAIRS) if _of(found, name)]
    with matplotlib().rc_context(STYLE):
        from matplotlib.figure import Figure

        width = max(NARROW, LABELS + PANEL * len(frameworks))
        figure = Figure(figsize=(width, MARGIN + LINE * max(1, len(cases))), layout="constrained")
        grid = figure.subplots(1, max(1, len(frameworks)), sharey=True, squeeze=False).flat
        for axes, name in zip(grid, frameworks, strict=False):
            _draw_panel(axes, name, _of(found, name), cases)
            _set_range(axes, found)
        _label(figure, results, found)
        save(figure, path)


def shown(results: Results) -> list[Ratio]:
    """Return what the picture shows: ordinary floats on a processor."""
    return [
        one
        for one in ratios(results)
        if one.outcome.case.dtype == "float32" and one.outcome.case.device == "cpu"
    ]


def ordered(cases: Iterable[Case]) -> list[Case]:
    """Return each case once: by loss, those without options first, from small to large."""
    found = dict.fromkeys(cases)
    kinds = {VALUE: 1, TRAINING: 2, BOOSTING: 3}
    return sorted(
        found,
        key=lambda c: (
            kinds.get(c.kind, 0), c.loss, bool(c.option or c.ignored), c.numbers, c.name,
        ),
    )  # fmt: skip


def _of(found: Iterable[Ratio], framework: str) -> list[Ratio]:
    return [one for one in found if one.pair.framework == framework]


def name(case: Case) -> str:
    """Return a case as the picture labels it.

    >>> name(Case("cross_entropy", (32, 1000), option="mask")), name(Case("huber", (100_000,)))
    ('cross_entropy 32×1000, mask', 'huber 10⁵')
    """
    if case.kind == TRAINING:
        return f"training on {case.loss}, batch {case.shape[0]}"
    loss, shape, *_ = case.name.split("/")
    base, _, power = shape.partition("^")
    shape = base + power.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    left_out = ("mask" if case.soft else "ignore_index") if case.ignored else ""
    extra = [case.option or left_out]
    extra += ["value alone"] if case.kind == VALUE else []
    return ", ".join([f"{loss} {shape.replace('x', '×')}", *filter(None, extra)])


def _draw_panel(axes: Axes, title: str, found: Sequence[Ratio], cases: Sequence[Case]) -> None:
    """Draw the dots of a framework, the ratio beside each that is lost."""
    places = {case: place for place, case in enumerate(cases)}
    pairs = list(dict.fromkeys(one.pair for one in found))
    axes.set_title(title)
    axes.set_xscale("log", base=2)
    axes.axvspan(1, 1e6, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(1, color=INK, linewidth=1, zorder=1)
    for one in found:
        axes.plot(one.times, places[one.outcome.case], **_dot(one, pairs))
    for place in set(places.values()):
        _write_worst(axes, place, [one for one in found if places[one.outcome.case] == place])
    _set_axes(axes, cases)
    handles = [_handle(pair, pairs) for pair in pairs]
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=2.6,
        fontsize=7.5, frameon=False, handletextpad=0.2,
    )  # fmt: skip


def _dot(one: Ratio, pairs: Sequence[Pair]) -> dict[str, Any]:
    colour, number = LOST if one.lost else WON, pairs.index(one.pair)
    return {
        "marker": MARKERS[number % 2], "ms": 5.2 - number, "color": colour, "linestyle": "none",
        "markerfacecolor": "white" if number % 2 else colour, "zorder": 3 + number,
    }  # fmt: skip


def _handle(pair: Pair, pairs: Sequence[Pair]) -> Any:
    from matplotlib.lines import Line2D

    number = pairs.index(pair)
    return Line2D(
        [], [], marker=MARKERS[number % 2], linestyle="none", color=INK, ms=4.5,
        markerfacecolor="white" if number % 2 else INK, label=f"{pair.ours}\nby {pair.peer}",
    )  # fmt: skip


def _write_worst(axes: Axes, place: int, found: Sequence[Ratio]) -> None:
    """Write the ratio of the worst that is lost on a line."""
    worst = max(found, key=lambda one: one.times, default=None)
    if worst and worst.lost:
        axes.annotate(
            worst.word, (worst.times, place), xytext=(5, 0), textcoords="offset points",
            va="center", fontsize=7.5, color=LOST,
        )  # fmt: skip


def _set_axes(axes: Axes, cases: Sequence[Case]) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    axes.set_yticks(range(len(cases)), [name(case) for case in cases], fontsize=8)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    for place, (one, two) in enumerate(itertools.pairwise(cases)):
        if (one.loss, one.kind) != (two.loss, two.kind):
            axes.axhline(place + 0.5, color="#B5B5B5", linewidth=0.8)


def _tick(value: float, _: Any = None) -> str:
    """Return a power of four as a reader writes it.

    >>> _tick(0.25), _tick(4.0)
    ('1/4', '4')
    """
    return f"1/{1 / value:.0f}" if value < 1 else f"{value:.0f}"


def _set_range(axes: Axes, found: Sequence[Ratio]) -> None:
    """Let the axis reach from the best to the worst, with room for what is written there."""
    from matplotlib.ticker import LogLocator

    times = [one.times for one in found]
    low, high = min([1 / NARROWEST, *times]), max([NARROWEST, *times])
    axes.set_xlim(low / 1.3, high * 3)
    axes.xaxis.set_major_locator(LogLocator(base=4 if high / low < 2000 else 16, numticks=9))


def _label(figure: Any, results: Results, found: Sequence[Ratio]) -> None:
    """Write what the picture shows above it, and a doubt in red."""
    losing = sum(one.lost for one in found)
    words = f"Lossary's time where the peer takes 1: {losing} of {len(found)} lost"
    figure.suptitle(words, x=0.01, ha="left", fontweight="bold", fontsize=12)
    figure.supxlabel("left of 1 Lossary is faster; red is lost", fontsize=9, color=INK)
    if results.disturbed:
        figure.text(
            0.995, 0.002, "Not to be published: the machine was busy", color=LOST, ha="right",
            fontsize=9, fontweight="bold",
        )  # fmt: skip
