"""What our commands have on a terminal: tables of any width, and no notes of others' builds.

In a table words wrap, numbers stay whole, and nothing is cut off. One that is too wide gives its
first column lines of its own; one that is still too wide becomes a list of its rows.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    Cells: TypeAlias = Sequence[str | Text]

__all__ = ["Column", "import_tensorflow", "print_table"]

GAP = 2  # characters between columns
INDENT = 2  # of what stands below the first cell of its row
READABLE = 24  # characters that a column of words should have, if it has so much to say


@dataclass(frozen=True)
class Column:
    """A heading over words on the left, or over ``numbers`` on the right, which never break."""

    name: str = ""
    numbers: bool = False
    style: str = ""


def print_table(
    columns: Sequence[Column],
    rows: Iterable[Cells | Text],
    console: Console,
    *,
    indent: int = 0,
    apart: bool = False,
) -> None:
    """Print rows of cells, ``indent`` characters from the left; a text alone spans all columns.

    There are at least two columns. ``apart`` leaves a line free between rows.

    >>> from rich.console import Console
    >>> columns, rows = [Column("loss"), Column("mean", numbers=True)], [["squared", "99800.1"]]
    >>> print_table(columns, rows, Console(width=20))
    loss        mean
    squared  99800.1
    >>> print_table(columns, rows, Console(width=14))
             mean
    loss: squared
          99800.1
    """
    from rich.text import Text

    lines = [row if isinstance(row, Text) else _texts(columns, row) for row in rows]
    draw = _layout(columns, [line for line in lines if isinstance(line, list)], console, indent)
    for number, line in enumerate(lines):
        if apart and number:
            console.print()
        if isinstance(line, list):
            draw(line)
        else:
            _print_line(line, console, indent)


def _texts(columns: Sequence[Column], row: Cells) -> list[Text]:
    from rich.text import Text

    pairs = zip(columns, row, strict=True)
    return [cell if isinstance(cell, Text) else Text(cell, column.style) for column, cell in pairs]


def _layout(
    columns: Sequence[Column], rows: Sequence[list[Text]], console: Console, indent: int
) -> Callable[[list[Text]], None]:
    """Print the headings, and return what prints a row in the first layout that has room."""
    from rich.text import Text

    first, rest = columns[0], columns[1:]
    room, below = console.width - indent, indent + INDENT
    if widths := _widths(columns, rows, room):
        _print_heads(columns, widths, console, indent)
        return lambda row: _print_grid(columns, widths, [row], console, indent)

    def head(row: list[Text]) -> None:
        name = (f"{first.name}: " if first.name else "", "dim")
        _print_line(Text.assemble(name, row[0]), console, indent)

    if widths := _widths(rest, [row[1:] for row in rows], room - INDENT):
        _print_heads(rest, widths, console, below)

        def draw(row: list[Text]) -> None:
            head(row)
            _print_grid(rest, widths, [row[1:]], console, below)
    else:
        names = [Text(column.name, "dim") for column in rest]
        left = max(map(len, names))
        pair = left, max(1, console.width - below - left - GAP)

        def draw(row: list[Text]) -> None:
            head(row)
            items = [list(item) for item in zip(names, row[1:], strict=True)]
            _print_grid((Column(), Column()), pair, items, console, below)

    return draw


def _print_heads(
    columns: Sequence[Column], widths: Sequence[int], console: Console, indent: int
) -> None:
    from rich.text import Text

    if any(column.name for column in columns):
        names = [Text(column.name, "dim") for column in columns]
        _print_grid(columns, widths, [names], console, indent)


def _print_line(text: Text, console: Console, indent: int) -> None:
    from rich.padding import Padding

    console.print(Padding(text, (0, 0, 0, indent)))


def _print_grid(
    columns: Sequence[Column],
    widths: Sequence[int],
    rows: Iterable[list[Text]],
    console: Console,
    indent: int,
) -> None:
    from rich.padding import Padding
    from rich.table import Table

    table = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        side = "right" if column.numbers else "left"
        table.add_column(width=width, justify=side, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(Padding(table, (0, 0, 0, indent), expand=False))


def _widths(columns: Sequence[Column], rows: Sequence[list[Text]], room: int) -> list[int] | None:
    """Return the columns' widths, or None if there is no room for all words and numbers."""
    from rich.cells import cell_len

    widths, wishes = [], []
    for place, column in enumerate(columns):
        cells = [row[place].plain for row in rows]
        wish = max(map(cell_len, [column.name, *cells]))
        unbroken = column.name.split() + (cells if column.numbers else " ".join(cells).split())
        least = max(map(cell_len, unbroken), default=0)
        widths.append(least if column.numbers else max(least, min(wish, READABLE)))
        wishes.append(wish)
    spare = room - sum(widths) - GAP * (len(columns) - 1)
    if spare < 0:
        return None
    # Who wishes for little more gets it; the others share what is left.
    order = sorted(range(len(columns)), key=lambda place: wishes[place] - widths[place])
    for rank, place in enumerate(order):
        more = min(wishes[place] - widths[place], spare // (len(columns) - rank))
        widths[place] += more
        spare -= more
    return widths


# Notes of TensorFlow's libraries on how they were built.
NOTES = re.compile(
    r"^(?:I\d{4} .*|WARNING: All log messages before absl.*|To enable the following.*)\n?",
    re.MULTILINE,
)


def import_tensorflow() -> None:
    """Import TensorFlow, if it is installed, without the notes that it logs about its build.

    TF_CPP_MIN_LOG_LEVEL silences the rest; these are written before anything reads it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "tensorflow" in sys.modules or not find_spec("tensorflow"):
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            importlib.import_module("tensorflow")
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            log.seek(0)
            sys.stderr.write(NOTES.sub("", log.read().decode(errors="replace")))
