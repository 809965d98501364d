"""``lossary bench``: everybody who computes a loss here, side by side in one run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lossary.cli.measure import progress
from lossary.cli.output import emit, emit_json, page, say
from lossary.terminal import Column, print_table

if TYPE_CHECKING:
    from lossary.bench import Case, Results

__all__ = ["bench"]


@click.command(short_help="Measure speed and memory beside other libraries.")
@click.option(
    "--size", type=click.Choice(["small", "full"]), default="small", show_default=True,
    help="A dozen cases in a minute or two, or all of them in about ten.",
)  # fmt: skip
@click.option(
    "--filter", "patterns", multiple=True, metavar="TEXT",
    help="Only cases whose name holds this, with * and ?; repeat it for several.",
)  # fmt: skip
@click.option(
    "--contestant", "who", multiple=True, metavar="NAME",
    help="Only contestants whose name holds this; repeat it for several.",
)  # fmt: skip
@click.option("--list", "listing", is_flag=True, help="List cases and contestants, measure none.")
@click.option(
    "--threads", type=click.IntRange(min=1), help="For everybody; by default one per core."
)
@click.option(
    "--rounds", type=click.IntRange(min=1), default=15, show_default=True,
    help="How often each contestant is timed at most; slow ones have their turn less often.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), metavar="BUDGET",
    help="Begin no further case after this time; by default 120 for small, none for full.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the data."
)
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
    help="Where to compute.",
)  # fmt: skip
@click.option("--markdown", is_flag=True, help="Print the tables in Markdown.")
@click.option(
    "--json", "target", is_flag=False, flag_value="-", metavar="[FILE]",
    help="Print JSON for programs, or write it to FILE beside the tables.",
)  # fmt: skip
@click.option(
    "--read", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Show results that --json wrote, measure nothing.",
)  # fmt: skip
def bench(
    size: str,
    patterns: tuple[str, ...],
    who: tuple[str, ...],
    listing: bool,
    threads: int | None,
    rounds: int,
    seconds: float | None,
    seed: int,
    device: str,
    markdown: bool,
    target: str | None,
    read: Path | None,
) -> None:
    """Time value and gradient of losses, here and in the libraries that are installed.

    All compute the same data in alternating rounds of one run, after their outputs have been
    compared. Beside each median stand the quartiles, how often the time fits that of moving the
    bytes (a copy or a triad in the same rounds), and the extra memory at the peak. A target of
    Lossary's is met or missed, and cases that it loses are listed.

    An interrupt shows what is done. The exit code is 1 if Lossary fails in a case or disagrees
    with the others.

    lossary bench                                    a first look
    lossary bench --filter huber/10^5 --contestant torch
    lossary bench --size full --json results.json    all of it, on a quiet machine
    lossary bench --read results.json --markdown     show it again
    lossary bench --list                             what there is, who is installed
    """
    if markdown and target == "-":
        raise click.UsageError("--markdown and --json exclude each other\nhint: choose one")
    # Read when the threads of a library start: it has to be there before the first import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from lossary import bench as room

    if read:
        _show(room.Results.load(read), markdown, target)
        return
    work = room.chosen(room.cases(size, device), patterns)
    if not work:
        raise click.UsageError(
            f"no case is called like {', '.join(patterns)}\n"
            f"hint: lossary bench --size {size} --list shows the names"
        )
    _check_file(target)
    contestants = _contestants(who)
    if listing:
        _list(work, contestants, target)
        return
    if seconds is None and size == "small":
        seconds = 120.0
    settings = room.Settings(
        threads or room.Settings().threads, rounds, seconds, seed, size, crossovers=not patterns
    )
    with progress("bench") as report_progress:
        results = room.measure(work, settings, contestants, report_progress, say)
    _show(results, markdown, target)
    if target not in {None, "-"}:
        say(f"wrote {target}")
    if results.interrupted:
        raise click.exceptions.Exit(130)
    if results.problems:
        say(f"Lossary failed or disagreed with the others {len(results.problems)} times")
        raise click.exceptions.Exit(1)


def _contestants(who: tuple[str, ...]) -> tuple:
    from lossary.bench import CONTESTANTS

    found = tuple(
        c for c in CONTESTANTS if not who or any(w.lower() in c.name.lower() for w in who)
    )
    if not found:
        names = ", ".join(c.name for c in CONTESTANTS)
        raise click.UsageError(f"no contestant is called {', '.join(who)}\nhint: there are {names}")
    return found


def _check_file(target: str | None) -> None:
    """Refuse a file that could not be written before minutes are spent on it."""
    if target in {None, "-"}:
        return
    path = Path(str(target))
    if path.is_dir():
        raise click.UsageError(f"--json: {path} is a folder\nhint: name a file in it")
    if not path.parent.is_dir():
        raise click.UsageError(
            f"--json: there is no folder {path.parent}\nhint: create it first, or write {path.name}"
        )


def _show(results: Results, markdown: bool, target: str | None) -> None:
    """Print the results, and write them to a file if one is named."""
    if target == "-":
        emit_json(results.to_json())
        return
    if target:
        results.save(Path(target))
    if markdown:
        from lossary.bench.report import markdown as text

        emit(text(results))
        return
    from lossary.bench.terminal import print_results

    with page() as console:
        print_results(results, console)


def _list(work: tuple[Case, ...], contestants: tuple, target: str | None) -> None:
    people = [(c.name, c.missing() or c.about) for c in contestants]
    if target == "-":
        listed = [{"name": name, "about": about} for name, about in people]
        emit_json({"cases": [case.name for case in work], "contestants": listed})
        return
    sizes = [(case.name, f"{case.bytes / 1e6:.3g} MB must move") for case in work]
    with page() as console:
        print_table([Column(), Column()], sizes, console)
        console.print()
        print_table([Column(style="cyan"), Column()], people, console)
