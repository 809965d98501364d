"""``lossary bench``: everybody who computes a loss here, side by side in one run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lossary.cli.lab import progress
from lossary.cli.names import picture_option
from lossary.cli.output import emit, emit_json, page, say
from lossary.tables import Column, Table

if TYPE_CHECKING:
    from lossary.bench import Case, Results


@click.command(short_help="Measure speed and memory beside other libraries.")
@click.option(
    "--size", type=click.Choice(["small", "everyday", "full"]), default="small", show_default=True,
    help="A dozen cases in a minute or two; the sizes that people train with, with options and "
    "whole trainings, in about ten; or large arrays too, in about half an hour.",
)  # fmt: skip
@click.option(
    "--filter", "patterns", multiple=True, metavar="TEXT",
    help="Only cases whose name holds this, with * and ?; repeat it for several. A name is "
    "loss/shape/type, then weight, mask, class_weight or ignored, value or training.",
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
    help="Begin no further case after this time; by default 120 for small, none for the others.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the data."
)
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
    help="Where to compute.",
)  # fmt: skip
@picture_option("Draw our time over the peers' too, as .png or .svg.")
@click.option(
    "--anyway", is_flag=True,
    help="Write a file although other programs are at work; it is marked as not to be published.",
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
    output: Path | None,
    anyway: bool,
    markdown: bool,
    target: str | None,
    read: Path | None,
) -> None:
    """Time value and gradient of losses, here and in the libraries that are installed.

    All compute the same data in alternating rounds of one run, after their outputs have been
    compared. First stands how long each way through Lossary takes where the peer in whose place it
    stands takes 1; below 1 Lossary is faster, and what it loses is red. Then the table of each
    case: medians, quartiles, how often the time fits that of moving the bytes (a copy or a triad in
    the same rounds), the extra memory at the peak. A target of Lossary's is met or missed.

    Times of a busy machine are worth nothing. A run that writes a file ends at once where other
    programs are at work; one that is disturbed later, or is told --anyway, marks its file, and no
    page is made from that. Without a file the disturbance is only told.

    An interrupt shows what is done. The exit code is 1 if Lossary fails in a case or disagrees
    with the others, or if a file is marked that was not asked for with --anyway.

    lossary bench                                    a first look
    lossary bench --size everyday -o ratios.png      what a batch costs, in a picture
    lossary bench --filter huber/10^5 --contestant torch
    lossary bench --filter digits                    a whole training in each framework
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
        _show(room.load(read), markdown, target, output)
        return
    work = room.chosen(room.cases(size, device), patterns)
    if not work:
        raise click.UsageError(
            f"no case is called like {', '.join(patterns)}\n"
            f"hint: lossary bench --size {size} --list shows the names"
        )
    _check_file(target)
    if output:
        from lossary import picture

        picture.check(output)
        picture.matplotlib()
    contestants = _contestants(who)
    if listing:
        _list(work, contestants, target)
        return
    if seconds is None and size == "small":
        seconds = 120.0
    whole, kept = not patterns, target not in {None, "-"}
    settings = room.Settings(
        threads or room.Settings().threads, rounds, seconds, seed,
        size if whole else "chosen", crossovers=whole, anyway=anyway or not kept,
        starting=whole and size != "small",
    )  # fmt: skip
    with progress("bench") as report_progress:
        results = room.measure(work, settings, contestants, report_progress, say)
    _show(results, markdown, target, output)
    if kept:
        say(f"wrote {target}")
    if output:
        say(f"wrote {output}")
    if results.interrupted:
        raise click.exceptions.Exit(130)
    if results.problems:
        say(f"Lossary failed or disagreed with the others {len(results.problems)} times")
        raise click.exceptions.Exit(1)
    if kept and results.disturbed and not anyway:
        say(
            f"{target} is marked as not to be published: {'; '.join(results.disturbed)}\n"
            "hint: measure again when the machine is quiet"
        )
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


def _show(results: Results, markdown: bool, target: str | None, output: Path | None) -> None:
    """Print the results, and write and draw them to the files that are named."""
    from lossary import bench as room

    if output:
        from lossary.bench.picture import draw_ratios

        draw_ratios(results, output)
    if target == "-":
        emit_json(room.to_json(results))
        return
    if target:
        room.save(results, Path(target))
    if markdown:
        from lossary.bench.report import markdown as text

        emit(text(results))
        return
    from lossary.bench.terminal import print_results

    with page() as console:
        print_results(results, console)


def _list(work: tuple[Case, ...], contestants: tuple, target: str | None) -> None:
    from lossary.bench.units import size

    people = [(c.name, c.missing() or c.about) for c in contestants]
    if target == "-":
        listed = [{"name": name, "about": about} for name, about in people]
        emit_json({"cases": [case.name for case in work], "contestants": listed})
        return
    sizes = [(case.name, f"{size(case.bytes)} must move" if case.bounded else "") for case in work]
    with page() as console:
        Table([Column(), Column()], sizes).print(console)
        console.print()
        Table([Column(style="cyan"), Column()], people).print(console)
