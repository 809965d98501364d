"""Losses by name on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import lossary
from lossary import lookup
from lossary.cli import own
from lossary.cli.output import say

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from lossary.engine import Loss

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def picture_option(words: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option that names the file of a picture."""
    kind: Any = click.Path(path_type=Path)
    return click.option("-o", "--output", type=kind, metavar="FILE", help=words)


def find(name: str) -> Loss:
    """Return the loss of a name here or elsewhere, and say so if the name is another library's.

    ``FILE.py:NAME`` and ``module:NAME`` are losses of one's own.
    """
    if own.is_own(name):
        return own.load(name)
    if (beside := lookup.look_up(lossary.catalogue, name).beside) is not None:
        raise click.UsageError(
            f"{name} is {beside.place} here, which stands beside the catalogue: "
            f"lossary find {name} says more"
        )
    try:
        loss = lossary.find(name)
    except lossary.UnknownLossError as error:
        raise click.UsageError(str(error)) from None
    if name != loss.name:
        say(f"{name} is {loss.name} here")
    return loss


class _LossType(click.ParamType):
    name = "name"

    def convert(self, value: Any, param: Any, ctx: Any) -> Loss:
        return find(value) if isinstance(value, str) else value

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        found = [loss for name, loss in lossary.catalogue.items() if name.startswith(incomplete)]
        return [CompletionItem(loss.name, help=loss.summary) for loss in found]


LOSS: click.ParamType[Any] = _LossType()
