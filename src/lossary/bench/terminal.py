"""Results on a terminal: the tables of ``report``, in its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossary.bench import report
from lossary.bench.results import Outcome, Results
from lossary.tables import Column, Table

if TYPE_CHECKING:
    from rich.console import Console


def print_results(results: Results, console: Console) -> None:
    """Print the machine, a table per case, the sizes from which kernels win, and the targets."""
    from rich.text import Text

    for words in (report.machine(results), report.versions(results), report.speed(results)):
        console.print(Text(words, style="dim"))
    for doubt in report.doubts(results):
        console.print(Text(doubt, style="yellow"))
    console.print()
    _print_ratios(results, console)
    for outcome in results.outcomes:
        _print_outcome(outcome, console)
    _print_crossovers(results, console)
    _print_targets(results, console)
    lost = report.losing(results)
    if lost:
        console.print(Text("Faster than every way through Lossary", style="bold"))
        for line in lost:
            console.print(Text(f"  {line}"))
        console.print()
    for line in report.missing(results):
        console.print(Text(f"Did not take part: {line}", style="dim"))
    console.print(Text(report.HOW, style="dim"))


def _print_outcome(outcome: Outcome, console: Console) -> None:
    from rich.text import Text

    console.print(Text(report.title(outcome), style="bold"))
    if moved := report.floor(outcome):
        console.print(Text(moved, style="dim"))
    report.table(outcome).without("first call").print(console)
    for line in report.remarks(outcome):
        console.print(Text(f"  {line}", style="dim"))
    console.print()


def _print_ratios(results: Results, console: Console) -> None:
    """Print our time over the peer's, a table per pair, so that it fits any width."""
    from rich.text import Text

    table = report.ratio_table(results)
    if not table.rows:
        return
    console.print(Text("Our time where the peer takes 1", style="bold"))
    for pair in table.columns[1:]:
        console.print(Text(pair.name, style="cyan"))
        cells = zip(table.column("work"), table.column(pair.name), strict=True)
        columns = report.WORK, Column("ratio", numbers=True)
        Table(columns, [(work, ratio) for work, ratio in cells if ratio]).print(console)
    console.print()


def _print_crossovers(results: Results, console: Console) -> None:
    from rich.text import Text

    if not results.crossovers:
        return
    console.print(Text("From which size on the kernel beats the array text", style="bold"))
    report.crossovers(results).print(console)
    console.print()


def _print_targets(results: Results, console: Console) -> None:
    from rich.text import Text

    verdicts = report.verdicts(results)
    if not verdicts:
        return
    console.print(Text("Targets (two cores, float32; on a GPU an H200)", style="bold"))
    console.print(Text(report.TARGETS, style="dim"))
    for ours, some in report.grouped(verdicts, lambda one: one.target.ours).items():
        console.print(Text(ours, style="cyan"))
        report.target_table(some).without("by").print(console)
    console.print()
