"""A report on a terminal: tables, words before colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossary.study.report import ARTICLES, Claim, Report
from lossary.tables import Column, Styled, Table

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
        table.print(console)
    console.print()
    console.print("[bold]What was learned[/bold]")
    console.print(report.learned, markup=False, highlight=False)
    if report.claims:
        console.print()
        print_claims(report.claims, console)
        console.print()
        console.print(sources(report.claims), style="dim", markup=False, highlight=False)


def print_claims(claims: tuple[Claim, ...], console: Console) -> None:
    """Print what the seed articles claim beside what was measured."""
    columns = [Column(name) for name in ("item", "the articles say", "measured here", "verdict")]
    rows = [
        (
            claim.item,
            f"[{claim.articles}] {claim.says}",
            claim.measured,
            Styled(f"{SIGNS[claim.agrees]} {claim.verdict}", COLOURS[claim.agrees]),
        )
        for claim in claims
    ]
    title = "What the articles claim, and what was measured"
    Table(columns, rows, title, apart=True).print(console)


def sources(claims: tuple[Claim, ...]) -> str:
    """Return the legend of the letters that the claims cite."""
    cited = sorted({letter for claim in claims for letter in claim.articles})
    return "Articles: " + "; ".join(f"[{letter}] {ARTICLES[letter]}" for letter in cited)
