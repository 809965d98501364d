"""A table is described once: terminal, Markdown and JSON say the same; nothing else prints one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lossary.tables import Column, Styled, Table

ROOT = Path(__file__).parents[2]
PRINTER = ROOT / "src/lossary/tables.py"
PLACES = [
    *(ROOT / "src").rglob("*.py"),
    *(ROOT / "docs").glob("*.py"),
    *(ROOT / "tests/peers").glob("*.py"),
]  # fmt: skip

COLUMNS = (Column("loss", code=True), Column("mean", ".2f", missing="never"), Column("verdict"))
ROWS = [("huber", np.float32(1.25), Styled("faster", "cyan")), ("a|b", None, "slower")]
TABLE = Table(COLUMNS, ROWS, "Losses", "A note.")


def printed(table, width=60):
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        table.print(console)
    return capture.get()


def test_a_terminal_a_page_and_a_program_are_told_the_same():
    assert TABLE.markdown() == [
        "| loss | mean | verdict |",
        "| --- | --: | --- |",
        "| `huber` | 1.25 | **faster** |",
        r"| `a\|b` | never | slower |",
    ]
    assert TABLE.to_json() == {
        "title": "Losses",
        "columns": ["loss", "mean", "verdict"],
        "rows": [["huber", 1.25, "faster"], ["a|b", None, "slower"]],
        "note": "A note.",
    }
    assert [line.split() for line in printed(TABLE).splitlines()] == [
        ["Losses"], ["loss", "mean", "verdict"], ["huber", "1.25", "faster"],
        ["a|b", "never", "slower"], ["A", "note."],
    ]  # fmt: skip


def test_columns_can_be_left_out_and_asked_for():
    assert TABLE.column("mean") == [1.25, None]
    assert TABLE.without("mean", "verdict").markdown()[2:] == ["| `huber` |", r"| `a\|b` |"]


def test_numbers_stand_on_the_right_unless_a_word_stands_among_them():
    assert Table([Column("n")], [(1,), (None,)]).markdown()[1] == "| --: |"
    assert Table([Column("n")], [(1,), ("many",)]).markdown()[1] == "| --- |"
    assert Table([Column("n", numbers=True)], [("1.5×",)]).markdown()[1] == "| --: |"


def test_a_line_for_all_columns_is_one_cell_of_a_page():
    table = Table(COLUMNS, [Styled("regression", "bold"), *ROWS])
    assert table.markdown()[2] == "| **regression** |  |  |"
    assert "regression" in printed(table)


@pytest.mark.parametrize("width", [14, 22, 60])
def test_an_indent_moves_every_line(width):
    table = Table(COLUMNS, ROWS)
    inner = [line.rstrip() for line in printed(table, width - 3).splitlines()]
    console = Console(width=width)
    with console.capture() as capture:
        table.print(console, indent=3)
    assert [line.rstrip() for line in capture.get().splitlines()] == [f"   {x}" for x in inner]


def test_nothing_else_prints_a_table():
    for path in {*PLACES} - {PRINTER}:
        made = re.findall(
            r"rich\.table|\|\s?-{2,}|-{2,}:\s?\||' \| '\.join", path.read_text("utf-8")
        )
        in_a_docstring = path.name == "pages.py" and set(made) == {"| ---"}
        assert not made or in_a_docstring, path
