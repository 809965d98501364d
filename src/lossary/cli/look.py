"""``lossary list``, ``find`` and ``show``: what there is, by which name, and all about one loss."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

import lossary
from lossary import lookup
from lossary.cli.names import JSON, LOSS
from lossary.cli.output import emit, emit_json, page, say
from lossary.definition import PROMISES
from lossary.render.target import TARGETS
from lossary.tables import Column, Table

if TYPE_CHECKING:
    from rich.console import Console

    from lossary.engine import Loss

FAMILIES = tuple(dict.fromkeys(loss.family for loss in lossary.catalogue.values()))


def _promise(context: Any, parameter: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """Accept ``non-negative`` for ``non_negative``."""
    names = tuple(name.replace("-", "_") for name in names)
    for name in names:
        if name not in PROMISES:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(PROMISES)}")
    return names


@click.command("list", short_help="List the losses, by family.")
@click.option(
    "--task", "--family", "families", multiple=True, metavar="FAMILY", type=click.Choice(FAMILIES),
    help=f"Only losses for this task; repeat it for several. One of {', '.join(FAMILIES)}.",
)  # fmt: skip
@click.option(
    "--promise", "promises", multiple=True, metavar="PROMISE", callback=_promise,
    help=f"Only losses that keep this promise; repeat it to ask for all of them. One of "
    f"{', '.join(PROMISES)}.",
)  # fmt: skip
@JSON
def list_(families: tuple[str, ...], promises: tuple[str, ...], as_json: bool) -> None:
    """List the losses, by family.

    lossary list
    lossary list --task regression
    lossary list --promise convex --promise bounded_gradient
    lossary list --json | jq -r '.losses[].name'
    """
    losses = [
        loss
        for loss in lossary.catalogue.values()
        if (not families or loss.family in families) and loss.promises.issuperset(promises)
    ]
    from lossary.show import tables

    if as_json:
        emit_json({"losses": [tables.data(loss) for loss in losses]})
        return
    if not losses:
        say("no loss is like that")
        return
    with page() as console:
        tables.print_list(losses, console)
    if sys.stderr.isatty():
        say("\nlossary show NAME tells all about one of them.")


@click.command(short_help="Find a loss by its name anywhere.")
@click.argument("name", metavar="NAME")
@JSON
def find(name: str, as_json: bool) -> int:
    """Find a loss by its name here or in another library, and the names that others have for it.

    Capitals, `_` and `-` do not matter; short names such as bce will do. If there is no such
    loss here it says who has it and what is nearest, and exits 1.

    lossary find torch.nn.SmoothL1Loss
    lossary find mse
    lossary find focal --json | jq -r .loss
    """
    answer = lookup.look_up(lossary.catalogue, name)
    if (beside := answer.beside) is not None:
        _say_beside(name, beside, as_json=as_json)
        return 0
    if as_json:
        emit_json(_answer(answer))
    elif answer.loss is None and answer.objectives:  # of a loss that boosters alone have
        emit("\n".join(row.advice for row in answer.objectives) + "\n")
    elif answer.loss is None:
        problem, _, hint = answer.problem.partition("\nhint: ")
        say(f"error: {problem}\nhint: {hint}")
    else:
        with page() as console:
            _print_answer(answer, answer.loss, console)
    return 0 if answer.loss or answer.objectives else 1


def _say_beside(name: str, beside: lookup.Beside, *, as_json: bool) -> None:
    """Print where a loss beside the catalogue stands."""
    summary = lossary.find(name).summary
    if as_json:
        facts = {"name": name, "loss": beside.place, "summary": summary}
        emit_json({**facts, "elsewhere": beside.elsewhere, "near": ()})
        return
    rows = [("says", summary), ("elsewhere", "\n".join(beside.elsewhere))]
    with page() as console:
        console.print(beside.place)
        Table([Column(), Column()], rows).print(console, indent=2)


def _answer(answer: lookup.Answer[Loss]) -> dict[str, Any]:
    loss, row, objectives = answer.loss, answer.not_yet, answer.objectives
    return {
        "name": answer.name,
        "loss": loss.name if loss else objectives[0].loss if objectives else None,
        "summary": loss.summary if loss else None,
        "elsewhere": loss.elsewhere if loss else row.elsewhere if row else (),
        "near": row.nearest if row else answer.near,
        "objectives": [row.advice for row in objectives],
    }


def _print_answer(answer: lookup.Answer[Loss], loss: Loss, console: Console) -> None:
    facts = (
        ("says", loss.summary),
        ("elsewhere", "\n".join(loss.elsewhere)),
        ("near", "\n".join(answer.near)),
        ("boosters", "\n".join(row.advice for row in answer.objectives)),
    )
    console.print(loss.name)
    Table([Column(), Column()], [fact for fact in facts if fact[1]]).print(console, indent=2)


@click.command(short_help="Show all about one loss.")
@click.argument("loss", metavar="NAME", type=LOSS)
@click.option("--latex", is_flag=True, help="Print the formulas as LaTeX instead.")
@click.option(
    "--text", "target", type=click.Choice(TARGETS), help="Print the code that runs there instead."
)
@click.option(
    "--order", type=click.IntRange(0, 2),
    help="With --latex or --text: 0 for the value only, 1 gradient, 2 second derivative.",
)  # fmt: skip
@JSON
def show(loss: Loss, latex: bool, target: str | None, order: int | None, as_json: bool) -> None:
    """Show all about a loss: formulas, arguments, when to choose it, traps, names elsewhere.

    NAME is a name from `lossary list`, or the name of the loss in another library, or FILE.py:NAME
    or module:NAME for a loss of your own.

    lossary show focal
    lossary show tf.keras.losses.MSLE
    lossary show huber --latex
    lossary show mine.py:my_loss
    lossary show huber --text torch --order 1     the gradient as PyTorch code
    """
    from lossary.show import tables

    if as_json:
        texts = {"text": {target: [loss.text(target, n) for n in range(3)]}} if target else {}
        emit_json({**tables.data(loss), **tables.formulas(loss), **texts})
    elif latex:
        formulas = (loss.latex, loss.gradient_latex, loss.hessian_latex)
        emit("\n".join(formulas if order is None else [formulas[order]]) + "\n")
    elif target:
        orders = range(3) if order is None else (order,)
        emit(_module([loss.text(target, n) for n in orders]))
    elif order is not None:
        raise click.UsageError("--order goes with --latex or --text")
    else:
        with page() as console:
            tables.print_sheet(loss, console)


def _module(texts: list[str]) -> str:
    """Join functions under the imports that they share."""
    heads, bodies = zip(*(text.strip().split("\n\n\n", 1) for text in texts), strict=True)
    return "\n\n\n".join([*dict.fromkeys(heads), *bodies]) + "\n"
