"""``lossary plot``: curves on the terminal, or in a picture with -o."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lossary.cli import own, values
from lossary.cli.names import JSON, find, picture_option
from lossary.cli.output import emit_json, page, say

if TYPE_CHECKING:
    from lossary.show.curves import Curves


class _Plot(click.Command):
    """A command whose option --range takes negative numbers."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, values.hide_minus(args))


def _span(context: Any, parameter: Any, text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    match = re.fullmatch(r"([^:]+):([^:]+)", text)
    if not match:
        raise click.UsageError(f"--range: {text!r} is not a range\nhint: write it as -5:5")
    low, high = (values.number(word, "--range") for word in match.groups())
    return low, high


@click.command(cls=_Plot, short_help="Draw losses and their derivatives.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@picture_option("Write a picture, .png or .svg, instead of drawing here. Needs the extra `plot`.")
@click.option("--range", "span", callback=_span, metavar="A:B", help="Where to draw, as -5:5.")
@click.option(
    "--over", type=click.Choice(["prediction", "margin", "probability"]),
    help="What runs: the prediction (of rows, class 0, with the others at 0), the margin (how far "
    "the prediction is on the right side), or the probability of the true class.",
)  # fmt: skip
@click.option(
    "--classes", type=click.IntRange(min=2), default=2, show_default=True,
    help="How many classes rows of logits have.",
)  # fmt: skip
@JSON
def plot(
    names: tuple[str, ...],
    output: Path | None,
    span: tuple[float, float] | None,
    over: Any,
    classes: int,
    as_json: bool,
) -> None:
    """Draw losses with their gradients and second derivatives.

    A NAME may hold arguments: huber:delta=0.1 or focal:gamma=5,target=0. Several names share the
    axes. Gradients are those of each loss by its own first argument. FILE.py:NAME is a loss of
    your own.

    lossary plot huber
    lossary plot squared_error huber:delta=0.5 absolute_error -o losses.png
    lossary plot hinge soft_margin --range -3:3
    lossary plot focal:gamma=0 focal:gamma=2 focal:gamma=5 --over probability
    lossary plot huber mine.py:my_loss:scale=2
    """
    from lossary import picture
    from lossary.show import curves

    if output:
        picture.check(output)
        picture.matplotlib()
    requests = [_request(name) for name in names]
    drawn = curves.trace(requests, over=over, span=span, classes=classes)
    if as_json:
        emit_json(_data(drawn))
    if output:
        from lossary.show.plot import write

        write(drawn, output)
        say(f"wrote {output}")
    elif not as_json:
        from lossary.show.dots import print_curves

        with page() as console:
            print_curves(drawn, console)


def _request(text: str) -> Any:
    from lossary.show.curves import Request

    place, name, settings = own.split(text)
    if place:
        name = f"{place}:{name}" if name else place
    else:
        name, _, settings = text.partition(":")
    loss = find(name)
    held = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(
                f"{text}: {setting!r} is not an argument\nhint: write it as {name}:{setting}=1"
            )
        held[key.strip().replace("-", "_")] = values.number(value, f"{name}: {key}")
    return Request(loss, held)


def _data(drawn: Curves) -> dict[str, Any]:
    """Return the curves in the types of JSON; outside a loss's domain they are null."""
    return {
        "over": drawn.over,
        "axis": drawn.axis,
        "range": list(drawn.span),
        "curves": [
            {
                "label": curve.label,
                "loss": curve.loss,
                "argument": curve.argument,
                "held": dict(curve.held),
                "x": curve.x,
                **{
                    name: [None if y != y else y for y in panel.tolist()]  # noqa: PLR0124
                    for name, panel in zip(
                        ("value", "gradient", "second_derivative"), curve.panels, strict=True
                    )
                },
            }
            for curve in drawn.curves
        ],
    }
