"""A report on a terminal: tables, words before colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossary.study.report import ARTICLES, Claim, Report, Table
from lossary.terminal import Column, print_table

if TYPE_CHECKING:
    from rich.console import Console

SIGNS = {True: "✓", False: "✗", None: "~"}
COLOURS = {True: "green", False: "red", None: "yellow"}


def print_report(report: Report, console: Console) -> None:
    """Print tables, the paragraph and the claims to a Rich console."""
    from rich.markup import escape

    console.print()
    console.print(f"[bold]{escape(report.title)}[/bold]")
    for table in report.tables:
        console.print()
        print_study_table(table, console)
        if table.note:
            console.print(table.note, style="dim", markup=False, highlight=False)
    console.print()
    console.print("[bold]What was learned[/bold]")
    console.print(report.learned, markup=False, highlight=False)
    if report.claims:
        console.print()
        print_claims(report.claims, console)
        console.print()
        console.print(sources(report.claims), style="dim", markup=False, highlight=False)


def print_study_table(table: Table, console: Console) -> None:
    """Print ``table`` with words on the left and numbers on the right."""
    from rich.text import Text

    console.print(Text(table.title, style="bold"))
    columns = []
    for index, column in enumerate(table.columns):
        words = any(isinstance(row[index], str) for row in table.rows)
        columns.append(Column(column.name, numbers=not words))
    rows = [
        [column.write(cell) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    print_table(columns, rows, console)


def print_claims(claims: tuple[Claim, ...], console: Console) -> None:
    """Print what the seed articles claim beside what was measured."""
    from rich.text import Text

    console.print("[bold]What the articles claim, and what was measured[/bold]")
    columns = [Column(name) for name in ("item", "the articles say", "measured here", "verdict")]
    rows = [
        (
            claim.item,
            f"[{claim.articles}] {claim.says}",
            claim.measured,
            Text(f"{SIGNS[claim.agrees]} {claim.verdict}", style=COLOURS[claim.agrees]),
        )
        for claim in claims
    ]
    print_table(columns, rows, console, apart=True)


def sources(claims: tuple[Claim, ...]) -> str:
    """Return the legend of the letters that the claims cite."""
    cited = sorted({letter for claim in claims for letter in claim.articles})
    return "Articles: " + "; ".join(f"[{letter}] {ARTICLES[letter]}" for letter in cited)
