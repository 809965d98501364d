"""A table is described once, and printed on a terminal, as Markdown or as plain data.

On a terminal words wrap, numbers stay whole, and nothing is cut off. A table that is too wide gives
its first column lines of its own; one that is still too wide becomes a list of its rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

GAP = 2  # characters between columns
INDENT = 2  # of what stands below the first cell of its row
READABLE = 24  # characters that a column of words should have, if it has so much to say

# What a style of a terminal becomes on a page; others are plain there.
MARKDOWN = {
    "bold": "**{}**",
    "cyan": "**{}**",
    "red bold": '<span style="color:#c00">**{}**</span>',
}


@dataclass(frozen=True)
class Styled:
    """Words in one of Rich's styles, and in its likeness on a page.

    >>> Styled("ours", "cyan").markdown()
    '**ours**'
    """

    words: str
    style: str = ""

    def markdown(self) -> str:
        """Return the words for a page."""
        return MARKDOWN.get(self.style, "{}").format(self.words)


Cell: TypeAlias = "str | float | bool | Styled | None"
Row: TypeAlias = "Sequence[Cell] | Styled"


@dataclass(frozen=True)
class Column:
    """A heading over words on the left, or over numbers on the right, which never break.

    ``form`` writes a number and ``missing`` a None. ``numbers`` says that the words below are
    numbers already written. ``style`` is for terminals, ``code`` for pages.
    """

    name: str = ""
    form: str = ""
    missing: str = "–"
    numbers: bool = False
    style: str = ""
    code: bool = False

    def write(self, cell: Cell) -> str:
        """Return the words of a cell."""
        if isinstance(cell, Styled):
            return cell.words
        if cell is None:
            return self.missing
        return cell if isinstance(cell, str) else format(cell, self.form)

    def markdown(self, cell: Cell) -> str:
        """Return a cell as it stands on a page."""
        words = cell.markdown() if isinstance(cell, Styled) else self.write(cell)
        return f"`{words}`" if self.code and words else words


@dataclass(frozen=True)
class Table:
    r"""Rows of words and plain numbers under columns; a row that is one :class:`Styled` spans all.

    ``apart`` leaves a line free between rows on a terminal.

    >>> from rich.console import Console
    >>> columns = Column("loss", code=True), Column("mean", ",.1f")
    >>> table = Table(columns, [("squared", 99800.1)])
    >>> print("\n".join(table.markdown()))
    | loss | mean |
    | --- | --: |
    | `squared` | 99,800.1 |
    >>> table.print(Console(width=20))
    loss         mean
    squared  99,800.1
    >>> table.print(Console(width=14))
              mean
    loss: squared
          99,800.1
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    title: str = ""
    note: str = ""
    apart: bool = False

    def __post_init__(self) -> None:
        for index, row in enumerate(self.rows):
            if not isinstance(row, Styled) and len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r}: row {index} has {len(row)} cells, "
                    f"expected {len(self.columns)}, one per column"
                )
        # NumPy's numbers become Python's: they print alike everywhere and go into JSON.
        rows = [row if isinstance(row, Styled) else tuple(plain(list(row))) for row in self.rows]
        object.__setattr__(self, "rows", tuple(rows))
        object.__setattr__(self, "columns", tuple(self.columns))

    @property
    def cells(self) -> list[Sequence[Cell]]:
        """The rows that have a cell for each column."""
        return [row for row in self.rows if not isinstance(row, Styled)]

    def column(self, name: str) -> list[Cell]:
        """Return the cells under one heading."""
        place = self._names.index(name)
        return [row[place] for row in self.cells]

    def without(self, *names: str) -> Table:
        """Return the table that lacks these columns."""
        kept = [place for place, name in enumerate(self._names) if name not in names]
        rows = [
            row if isinstance(row, Styled) else [row[place] for place in kept] for row in self.rows
        ]
        return replace(self, columns=[self.columns[place] for place in kept], rows=rows)

    @property
    def _names(self) -> list[str]:
        return [column.name for column in self.columns]

    def _numeric(self) -> tuple[Column, ...]:
        """The columns, those marked as numbers that have no words."""
        return tuple(
            replace(column, numbers=True)
            if self.cells and not any(isinstance(row[place], str | Styled) for row in self.cells)
            else column
            for place, column in enumerate(self.columns)
        )

    def to_json(self) -> dict[str, Any]:
        """Return headings and rows as lists; a number that is not finite is ``None``."""
        rows = [
            [cell.words if isinstance(cell, Styled) else cell for cell in row] for row in self.cells
        ]
        return {"title": self.title, "columns": self._names, "rows": rows, "note": self.note}

    def markdown(self) -> list[str]:
        """Return the lines of a Markdown table, without its title and its note."""
        rule = ["--:" if column.numbers else "---" for column in self._numeric()]
        blank = [""] * (len(self.columns) - 1)
        rows = [
            [row.markdown(), *blank]
            if isinstance(row, Styled)
            else [column.markdown(cell) for column, cell in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]
        return [
            f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
            for row in (self._names, rule, *rows)
        ]

    def print(self, console: Console, indent: int = 0) -> None:
        """Print the table, ``indent`` characters from the left."""
        from rich.padding import Padding

        console.print(Padding(self, (0, 0, 0, indent), expand=False) if indent else self)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        from rich.text import Text

        if self.title:
            yield Text(self.title, "bold")
        columns, rows = self._numeric(), [_texts(self.columns, row) for row in self.rows]
        cells = [row for row in rows if isinstance(row, list)]
        heads, draw = _layout(columns, cells, options.max_width)
        yield from heads
        for number, row in enumerate(rows):
            if self.apart and number:
                yield Text()
            yield from draw(row) if isinstance(row, list) else [row]
        if self.note:
            yield Text(self.note, "dim")


def plain(value: Any) -> Any:
    """Return ``value`` in the types of JSON; numbers that are not finite become ``None``."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


# The layout on a terminal.


def _texts(columns: Sequence[Column], row: Row) -> list[Text] | Text:
    from rich.text import Text

    if isinstance(row, Styled):
        return Text(row.words, row.style)
    return [
        Text(column.write(cell), cell.style if isinstance(cell, Styled) else column.style)
        for column, cell in zip(columns, row, strict=True)
    ]


Lines: TypeAlias = "list[RenderableType]"


def _layout(
    columns: Sequence[Column], rows: Sequence[list[Text]], room: int
) -> tuple[Lines, Callable[[list[Text]], Lines]]:
    """Return the headings, and what draws a row, in the first layout that has room."""
    from rich.text import Text

    first, rest = columns[0], columns[1:]
    if widths := _widths(columns, rows, room):
        return _heads(columns, widths, 0), lambda row: [_grid(columns, widths, [row], 0)]

    def head(row: list[Text]) -> Text:
        return Text.assemble((f"{first.name}: " if first.name else "", "dim"), row[0])

    if below := _widths(rest, [row[1:] for row in rows], room - INDENT):
        return (
            _heads(rest, below, INDENT),
            lambda row: [head(row), _grid(rest, below, [row[1:]], INDENT)],
        )
    names = [Text(column.name, "dim") for column in rest]
    left = max(map(len, names))
    pair = left, max(1, room - INDENT - left - GAP)

    def listed(row: list[Text]) -> Lines:
        items = [list(item) for item in zip(names, row[1:], strict=True)]
        return [head(row), _grid((Column(), Column()), pair, items, INDENT)]

    return [], listed


def _heads(columns: Sequence[Column], widths: Sequence[int], indent: int) -> Lines:
    from rich.text import Text

    if not any(column.name for column in columns):
        return []
    return [_grid(columns, widths, [[Text(column.name, "dim") for column in columns]], indent)]


def _grid(
    columns: Sequence[Column], widths: Sequence[int], rows: Iterable[list[Text]], indent: int
) -> RenderableType:
    from rich.padding import Padding
    from rich.table import Table as Grid

    grid = Grid.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        side = "right" if column.numbers else "left"
        grid.add_column(width=width, justify=side, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return Padding(grid, (0, 0, 0, indent), expand=False)


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
