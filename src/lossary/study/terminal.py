"""A report on a terminal: Rich tables, words before colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

    from lossary.study.report import Claim, Report, Table

SIGNS = {True: "✓", False: "✗", None: "~"}
COLOURS = {True: "green", False: "red", None: "yellow"}


def print_report(report: Report, console: Console) -> None:
    """Print every part of ``report`` in reading order."""
    from rich.markup import escape

    console.print()
    console.print(f"[bold]{escape(report.title)}[/bold]")
    for table in report.tables:
        console.print()
        console.print(rich_table(table))
        if table.note:
            console.print(table.note, style="dim", markup=False, highlight=False)
    console.print()
    console.print("[bold]What was learned[/bold]")
    console.print(report.learned, markup=False, highlight=False)
    if report.claims:
        console.print()
        console.print(claims_table(report.claims))
        console.print(sources(report.claims), style="dim", markup=False, highlight=False)


def rich_table(table: Table) -> RichTable:
    """Return ``table`` with words on the left and numbers on the right."""
    from rich.table import Table as RichTable
    from rich.text import Text

    rich = RichTable(title=Text(table.title), title_justify="left", title_style="bold")
    for index, column in enumerate(table.columns):
        words = any(isinstance(row[index], str) for row in table.rows)
        rich.add_column(Text(column.name), justify="left" if words else "right")
    for row in table.rows:
        cells = zip(table.columns, row, strict=True)
        rich.add_row(*(Text(column.write(cell)) for column, cell in cells))
    return rich


def claims_table(claims: tuple[Claim, ...]) -> RichTable:
    """Return what the seed articles claim beside what was measured."""
    from rich.table import Table as RichTable
    from rich.text import Text

    rich = RichTable(
        title="What the articles claim, and what was measured",
        title_justify="left",
        title_style="bold",
        show_lines=True,
    )
    rich.add_column("item")
    rich.add_column("the articles say", ratio=5)
    rich.add_column("measured here", ratio=6)
    rich.add_column("verdict")
    for claim in claims:
        verdict = Text(f"{SIGNS[claim.agrees]} {claim.verdict}", style=COLOURS[claim.agrees])
        says = Text(f"[{claim.articles}] {claim.says}")
        rich.add_row(Text(claim.item), says, Text(claim.measured), verdict)
    return rich


def sources(claims: tuple[Claim, ...]) -> str:
    """Return the legend of the letters that the claims cite."""
    from lossary.study.report import ARTICLES

    cited = sorted({letter for claim in claims for letter in claim.articles})
    return "Articles: " + "; ".join(f"[{letter}] {ARTICLES[letter]}" for letter in cited)
