"""Results on a terminal: a table per case, the crossover, the targets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lossary.bench import report
from lossary.bench.pairs import Ratio
from lossary.bench.results import Outcome, Results
from lossary.bench.targets import Verdict
from lossary.bench.units import seconds
from lossary.terminal import Column, print_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["print_results"]


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
    numbers = ("median", "quartiles", "× limit", "GB/s", "memory")
    rows = [
        (
            Text(row.contestant + ("*" if row.disagrees else ""), "cyan" if row.ours else ""),
            seconds(row.seconds), report.spread(row), report.against(row, outcome),
            report.rate(row, outcome.case), report.memory(row),
        )
        for row in outcome.rows
    ]  # fmt: skip
    columns = [Column(), *(Column(name, numbers=True) for name in numbers)]
    print_table(columns, rows, console)
    for line in report.remarks(outcome):
        console.print(Text(f"  {line}", style="dim"))
    console.print()


def _print_ratios(results: Results, console: Console) -> None:
    """Print our time over the peer's, a table per pair, so that it fits any width."""
    from rich.text import Text

    heads, rows = report.ratio_rows(results)
    if not rows:
        return
    console.print(Text("Our time where the peer takes 1", style="bold"))
    columns = [Column("work"), Column("ratio", numbers=True)]
    for place, head in enumerate(heads):
        console.print(Text(head, style="cyan"))
        cells = [(name, _ratio(row[place])) for name, row in rows if row[place]]
        print_table(columns, cells, console)
    console.print()


def _ratio(one: Ratio | None) -> Text:
    from rich.text import Text

    return Text(one.word if one else "", "red bold" if one and one.lost else "green")


def _print_crossovers(results: Results, console: Console) -> None:
    from rich.text import Text

    if not results.crossovers:
        return
    console.print(Text("From which size on the kernel beats the array text", style="bold"))
    columns = [Column(name) for name in ("loss", "on", "kernel from")]
    print_table(columns, report.crossovers(results), console)
    console.print()


def _print_targets(results: Results, console: Console) -> None:
    from rich.text import Text

    verdicts = report.verdicts(results)
    if not verdicts:
        return
    console.print(Text("Targets (two cores, float32; on a GPU an H200)", style="bold"))
    console.print(Text(report.TARGETS, style="dim"))
    columns = [Column(name) for name in ("work", "against", "asked", "found", "")]
    colours = {True: "green", False: "red", None: "dim"}
    for ours, some in _by_contestant(verdicts):
        rows = [
            (v.case, v.target.against, v.target.asked, v.found, Text(v.word, colours[v.met]))
            for v in some
        ]
        console.print(Text(ours, style="cyan"))
        print_table(columns, rows, console)
    console.print()


def _by_contestant(verdicts: Iterable[Verdict]) -> list[tuple[str, list[Verdict]]]:
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        found.setdefault(verdict.target.ours, []).append(verdict)
    return list(found.items())
