"""Curves on a terminal, in Braille dots: a character holds two columns of four."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from lossary.show.curves import PANELS, Curves
from lossary.show.shape import FLAT, flat, jumps, limits, titles

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

COLOURS = ("blue", "red", "green", "magenta", "cyan", "yellow")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# The bit of each dot, by column and by row from the top, and the character without dots.
BITS, BLANK = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80)), 0x2800
LEFT = 7  # characters for the numbers of the y axis
WIDEST = 110
HEIGHTS = (11, 8, 8)  # lines of the panels: loss, gradient, second derivative


def print_curves(curves: Curves, console: Console) -> None:
    """Print the panels below each other, and a legend when there are several losses."""
    from rich.text import Text

    width = max(20, min(console.width, WIDEST) - LEFT - 3)
    for number, curve in enumerate(curves.curves):
        mark = f"{_letter(number)}  " if len(curves.curves) > 1 else ""
        console.print(Text(mark + curve.label, style=f"bold {_colour(number)}"), soft_wrap=True)
    for place, title in enumerate(titles(curves)):
        console.print()
        console.print(Text(title, style="bold"), soft_wrap=True)
        for line in _panel(curves, place, width):
            console.print(line, soft_wrap=True)
    if flat(curves):
        console.print()
        console.print(Text.assemble((PANELS[2], "bold"), f": {FLAT}"), soft_wrap=True)
    console.print(Text(" " * (LEFT + 2) + curves.axis.center(width).rstrip()), soft_wrap=True)


def _letter(number: int) -> str:
    return LETTERS[number % len(LETTERS)]


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


@dataclass
class Canvas:
    """A grid of characters, each with its dots, the curve that it belongs to, and a letter."""

    width: int
    height: int
    low: float
    high: float
    dots: np.ndarray = field(init=False)
    owner: np.ndarray = field(init=False)
    letters: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dots = np.full((self.height, self.width), BLANK)
        self.owner = np.full((self.height, self.width), -1)

    def row(self, y: float) -> int:
        """Return the row of dots of a value, counted from the top; it may be outside."""
        return round((self.high - y) / (self.high - self.low) * (4 * self.height - 1))

    def draw(self, y: np.ndarray, number: int) -> None:
        """Draw a curve whose points are equally far apart; jumps stay open."""
        jump, _ = jumps(y)
        columns = np.arange(len(y)) * (2 * self.width) // len(y)
        last: int | None = None
        for column, value, cut in zip(columns, y, np.append(False, jump), strict=True):
            if not math.isfinite(value):
                last = None
                continue
            row = self.row(value)
            start = row if last is None or cut else last
            self._run(int(column), start, row, number)
            last = row

    def _run(self, column: int, start: int, end: int, number: int) -> None:
        """Set the dots from one row to another, as far as they are inside."""
        first, last = max(min(start, end), 0), min(max(start, end), 4 * self.height - 1)
        for row in range(first, last + 1):
            place = row // 4, column // 2
            self.dots[place] |= BITS[column % 2][row % 4]
            self.owner[place] = number

    def name(self, y: np.ndarray, number: int, curves: int) -> None:
        """Write the curve's letter on it in two places that no other curve uses."""
        for half in range(2):
            column = int((half + (number + 0.5) / curves) * self.width / 2)
            value = y[(2 * column + 1) * len(y) // (2 * self.width)]
            if math.isfinite(value) and 0 <= self.row(value) < 4 * self.height:
                self.letters[self.row(value) // 4, column] = number


def _panel(curves: Curves, place: int, width: int) -> list[Text]:
    from rich.text import Text

    panels = [curve.panels[place] for curve in curves.curves]
    canvas = Canvas(width, HEIGHTS[place], *limits(panels))
    for number, y in enumerate(panels):
        canvas.draw(y, number)
    if len(panels) > 1:
        for number, y in enumerate(panels):
            canvas.name(y, number, len(panels))
    marks = {
        canvas.row(tick) // 4: f"{tick:g}"
        for tick in ticks(canvas.low, canvas.high, canvas.height // 2)
    }
    origin = _column(0.0, curves.span, width) if curves.span[0] < 0 < curves.span[1] else -1
    lines = []
    for row in range(canvas.height):
        edge = "┤" if row in marks else "│"
        line = Text(f"{marks.get(row, ''):>{LEFT}} {edge}")
        faint = "┈" if marks.get(row) == "0" else " "
        cells = [
            _cell(canvas, row, column, "┊" if column == origin else faint)
            for column in range(width)
        ]
        for style, group in groupby(cells, key=itemgetter(1)):
            line.append("".join(character for character, _ in group), style)
        lines.append(line)
    return [*lines, *_x_axis(curves.span, width)]


def _cell(canvas: Canvas, row: int, column: int, empty: str) -> tuple[str, str]:
    if (row, column) in canvas.letters:
        number = canvas.letters[row, column]
        return _letter(number), f"bold {_colour(number)}"
    if canvas.dots[row, column] == BLANK:
        return empty, "dim"
    return chr(canvas.dots[row, column]), _colour(int(canvas.owner[row, column]))


def _column(x: float, span: tuple[float, float], width: int) -> int:
    return int((x - span[0]) / (span[1] - span[0]) * (width - 1) + 0.5)


def _x_axis(span: tuple[float, float], width: int) -> list[Text]:
    """Return the axis and the line of its numbers."""
    from rich.text import Text

    axis, numbers = ["─"] * width, [" "] * (width + 4)
    for tick in ticks(*span, max(2, width // 12)):
        column = _column(tick, span, width)
        axis[column] = "┬"
        text = f"{tick:g}"
        start = max(0, column - (len(text) - 1) // 2 - text.startswith("-"))
        numbers[start : start + len(text)] = text
    indent = " " * (LEFT + 1)
    return [Text(f"{indent}└{''.join(axis)}"), Text(f"{indent} {''.join(numbers).rstrip()}")]


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers between two others, at most ``most`` + 1 of them.

    >>> ticks(-5.3, 5.3, 4)
    [-4.0, 0.0, 4.0]
    """
    rough = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 4, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) + 0.0 for n in range(first, last + 1)]
