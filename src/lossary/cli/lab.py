"""``lossary study`` and ``lossary accuracy``: experiments and measurements, with their progress."""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lossary.cli.names import JSON, find, picture_option
from lossary.cli.output import emit, emit_json, page, say
from lossary.cli.own import is_own
from lossary.render.target import TARGETS
from lossary.tables import Column, Table
from lossary.terminal import import_tensorflow

if TYPE_CHECKING:
    from lossary.engine import Loss
    from lossary.study import Study


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """Yield ``report(done, total, what)``, which moves a bar on a terminal, else writes lines."""
    if not sys.stderr.isatty():
        yield _lines(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def report(done: int, total: int, what: str) -> None:
            words = f"{title}: {what}" if what else title
            bar.update(task, completed=done, total=total, description=words)

        yield report


BETWEEN = 15.0
"""Seconds between two lines of progress; what takes less is told by its results."""


def _lines(title: str) -> Callable[[int, int, str], None]:
    """Return a report that writes a line now and then, as into the log of a machine."""
    begun = last = time.monotonic()

    def report(done: int, total: int, what: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= BETWEEN:
            last = now
            said = f"{title}: {done} of {total} after {now - begun:.0f} s"
            say(f"{said}, now {what}" if what else said)

    return report


@click.command(short_help="Run an experiment with these losses.")
@click.argument("name", required=False)
@picture_option("Draw the figure too, as .png or .svg.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Fixes chance."
)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
    help="Folder with the files of a study that reads any (mnist).",
)  # fmt: skip
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE",
    help="Change a setting of the study, such as epochs=5; repeat it for several.",
)  # fmt: skip
@JSON
def study(
    name: str | None,
    output: Path | None,
    seed: int,
    data: Path | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run an experiment that trains with these losses; without NAME, list the experiments.

    lossary study                      what there is
    lossary study neuron
    lossary study digits -o digits.png
    lossary study mnist --data ~/mnist --json > mnist.json
    """
    from lossary import picture
    from lossary import study as room
    from lossary.study.needs import need

    if name is None:
        _list_studies(room.studies, as_json)
        return
    chosen = _settings(room.find(name), settings)
    if output:
        picture.check(output)
        need("matplotlib")
    try:
        with progress(f"study {name}") as report_progress:
            report = room.run(name, seed=seed, data=data, progress=report_progress, **chosen)
    except FileNotFoundError as error:
        raise click.UsageError(str(error)) from error
    except ValueError as error:
        if not (chosen or data):  # with nothing given, the fault is ours: show where
            raise
        raise click.UsageError(str(error)) from error
    if as_json:
        emit_json(report.to_json())
    else:
        with page() as console:
            room.print_report(report, console)
    if output:
        room.draw_report(report, output)
        say(f"wrote {output}")


def _settings(chosen: Study, texts: tuple[str, ...]) -> dict[str, Any]:
    """Return settings as Python writes them; what the study would refuse is refused here."""
    from lossary.study import replace

    settings = {}
    for text in texts:
        key, _, value = text.partition("=")
        key = key.strip().replace("-", "_")
        try:
            given = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            given = value
        many = isinstance(getattr(chosen.settings, key, None), tuple)
        settings[key] = (given,) if many and not isinstance(given, tuple) else given
    replace(chosen, settings)
    return settings


def _list_studies(studies: dict[str, Study], as_json: bool) -> None:
    if as_json:
        items = [{"name": s.name, "purpose": s.purpose} for s in studies.values()]
        emit_json({"studies": items})
        return
    with page() as console:
        rows = [(item.name, item.purpose) for item in studies.values()]
        Table([Column(style="cyan"), Column()], rows).print(console)


@click.command(short_help="Measure how exact values and gradients are.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--library", "libraries", multiple=True, type=click.Choice(TARGETS),
    help="Only on this library; repeat it for several. By default all that are installed.",
)  # fmt: skip
@click.option(
    "--dtype", "dtypes", multiple=True,
    type=click.Choice(["float64", "float32", "float16", "bfloat16"]),
    help="Only in this type; repeat it for several. By default float64 and float32.",
)  # fmt: skip
@click.option(
    "--engine", "engines", multiple=True, type=click.Choice(["array", "fused"]),
    default=("array",), show_default=True,
    help="By the libraries' operations, or by kernels; repeat it for both.",
)  # fmt: skip
@click.option(
    "--processes", type=click.IntRange(min=1), default=1, show_default=True,
    help="Share the losses among several processes: each takes one core and 2 GB with TensorFlow.",
)  # fmt: skip
@click.option("--where", is_flag=True, help="Say where digits are lost, and by which part.")
@click.option("--markdown", is_flag=True, help="Print a table in Markdown.")
@JSON
def accuracy(
    names: tuple[str, ...],
    libraries: tuple[str, ...],
    dtypes: tuple[str, ...],
    engines: tuple[str, ...],
    processes: int,
    where: bool,
    markdown: bool,
    as_json: bool,
) -> None:
    """Measure values and gradients in ulps of the true value, beside other libraries.

    The truth comes from mpmath with as many digits as it takes. Without NAME, all losses. The exit
    code is 1 if a case misses its bar.

    Of a loss of your own, FILE.py:NAME or module:NAME, and with --where of any loss, it says
    instead where digits are lost, which part of the formula loses them and why, and what to write
    instead, if a rewrite is known that saves them at those very numbers. The exit code is 1 if
    digits are lost.

    lossary accuracy mine.py:my_loss
    lossary accuracy mine.py:my_loss --dtype float32 --json
    lossary accuracy gaussian --where
    lossary accuracy focal
    lossary accuracy huber cross_entropy --library numpy --library torch
    lossary accuracy focal --engine array --engine fused
    lossary accuracy --markdown > accuracy.md
    """
    if markdown and as_json:
        raise click.UsageError("--markdown and --json exclude each other\nhint: choose one")
    losses = [find(name) for name in names]
    if where or any(map(is_own, names)):
        if libraries or markdown or engines != ("array",):
            raise click.UsageError(
                "--library, --engine and --markdown belong to the table of the catalogue\n"
                "hint: leave them out; --dtype and --json go with a loss of your own"
            )
        _diagnose(losses, dtypes or ("float64",), as_json)
        return
    import_tensorflow()
    from lossary import accuracy as meter

    with progress("accuracy") as report_progress:
        table = meter.measure(
            [x.name for x in losses],
            libraries,
            dtypes,
            progress=report_progress,
            engines=engines,
            processes=processes,
        )
    if as_json:
        emit_json(table.to_json())
    elif markdown:
        emit(table.markdown().rstrip() + "\n")
    else:
        with page() as console:
            table.print(console)
    missed = [row for row in table.rows if row.peer is None and not row.met]
    if missed:
        say(f"{len(missed)} of {sum(row.peer is None for row in table.rows)} cases miss their bar")
        raise click.exceptions.Exit(1)


def _diagnose(losses: Sequence[Loss], dtypes: Sequence[str], as_json: bool) -> None:
    """Print where losses lose digits; the exit code is 1 if one does."""
    if not losses:
        raise click.UsageError("--where needs NAME\nhint: lossary accuracy gaussian --where")
    work = [(loss, dtype) for loss in losses for dtype in dtypes]
    found = []
    with progress("accuracy") as report_progress:
        for done, (loss, dtype) in enumerate(work):
            report_progress(done, len(work), f"{loss.name} {dtype}")
            try:
                found.append(loss.accuracy(dtype))
            except ValueError as error:
                raise click.UsageError(str(error)) from error
    if as_json:
        emit_json({"losses": [diagnosis.to_json() for diagnosis in found]})
    else:
        emit("\n\n".join(map(str, found)) + "\n")
    if not all(diagnosis.good for diagnosis in found):
        raise click.exceptions.Exit(1)
