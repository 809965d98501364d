"""The catalogue on a terminal: a list of losses, and the sheet of one loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from lossary.definition import PROMISES
from lossary.notation.lines import letter, meanings, read
from lossary.render.unicode import plain, symbol
from lossary.show.pages import FAMILIES, LIBRARIES, signature
from lossary.tables import Column, Table

if TYPE_CHECKING:
    from rich.console import Console

    from lossary.definition import Argument
    from lossary.engine import Loss

# A second derivative that needs more than this is left to --latex and --text.
MOST_NEW_LETTERS, MOST_CHARACTERS = 2, 200


def print_list(losses: Iterable[Loss], console: Console) -> None:
    """Print names and summaries by family."""
    for place, (family, members) in enumerate(groupby(losses, key=lambda loss: loss.family)):
        if place:
            console.print()
        console.print(f"[bold]{family}[/bold]: {FAMILIES[family]}", highlight=False)
        rows = [(loss.name, _words(loss.summary)) for loss in members]
        Table([Column(style="cyan"), Column()], rows).print(console, indent=2)


def print_sheet(loss: Loss, console: Console) -> None:
    """Print all that is known of a loss, in the order in which it is needed."""
    from rich.padding import Padding
    from rich.text import Text

    console.print(f"[bold]{loss.name}[/bold]  ({loss.family})", highlight=False)
    console.print(Padding(Text(_words(loss.summary)), (0, 0, 0, 2)))
    console.print()
    for line in _call(loss, console.width - 2):
        console.print(Text(f"  {line}", style="cyan"))
    for title, lines in _formulas(loss):
        _section(console, title)
        for line in lines:
            for part in wrap(line, console.width, subsequent_indent=" " * 6) or [""]:
                console.print(Text(part))
    _section(console, "Arguments")
    columns = [Column(style="cyan"), Column(), Column()]
    Table(columns, _arguments(loss)).print(console, indent=2)
    for title, items in _facts(loss):
        if items:
            _section(console, title)
            _print_items(items, console)


def _call(loss: Loss, room: int) -> list[str]:
    """Return the signature in lines: after the bracket, then between arguments."""
    call = signature(loss)
    if len(call) <= room:
        return [call]
    name, _, arguments = call.partition("(")
    return [f"{name}(", *(f"    {line}" for line in wrap(arguments, room - 4))]


def _section(console: Console, title: str) -> None:
    console.print()
    console.print(f"[bold]{title}[/bold]", highlight=False)


def _words(text: str) -> str:
    """Take the marks of code off a docstring."""
    return " ".join(text.replace("``", "").split())


# Formulas.


def _formulas(loss: Loss) -> list[tuple[str, list[str]]]:
    (value, gradient, hessian), named = loss.written.lettered
    formulas, letters = read(value, gradient, named=named)
    whole, more = read(value, gradient, hessian, named=named)
    first = loss.inputs[0].name
    entry = "entry" if loss.family == "similarity" or loss.entries else "class"
    each = f", for {entry} c" if loss.inputs[0].domain.class_axis else ""
    diagonal = ", its diagonal" if loss.inputs[0].domain.class_axis else ""
    if len(more) - len(letters) <= MOST_NEW_LETTERS and whole[2].size <= MOST_CHARACTERS:
        formulas, letters = whole, more
        second = _indent(whole[2].lines)
    else:
        second = [f"  long; as code: lossary show {loss.name} --text numpy --order 2"]
    sections = [
        ("Formula", _indent(formulas[0].lines)),
        (f"Gradient with respect to {first}{each}", _indent(formulas[1].lines)),
        (f"Second derivative{diagonal}", second),
    ]
    if letters:
        sections.append(("where", _indent(meanings(letters))))
    if any("[c = t]" in line for _, lines in sections for line in lines):
        sections[-1][1].append("  [c = t] is 1 for the class of the label and 0 for the others")
    return sections


def _indent(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


# The facts of a record.


def _arguments(loss: Loss) -> list[tuple[str, str, str]]:
    rows = []
    for argument in loss.arguments:
        words = [str(argument.domain), argument.description, default(argument)]
        text = "; ".join(word for word in words if word)
        rows.append((argument.name, letter(argument), text))
    return rows


def default(argument: Argument) -> str:
    """Say what happens when an argument is not given; nothing for data, which must be."""
    if argument.positional:
        return ""
    if argument.required:
        return "required"
    return "absent unless given" if argument.optional else f"default {argument.default:g}"


def _facts(loss: Loss) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        ("When to choose it", [("", loss.choose)] if loss.choose else []),
        ("Traps", [("*", trap) for trap in loss.traps]),
        ("Promises", [(p.replace("_", " "), PROMISES[p]) for p in sorted(loss.promises)]),
        ("Names elsewhere", _elsewhere(loss)),
        ("Source", [("", loss.source)] if loss.source else []),
    ]


def _elsewhere(loss: Loss) -> list[tuple[str, str]]:
    def library(name: str) -> str:
        top, dot, _ = name.partition(".")
        if not dot and top not in LIBRARIES:
            return "also called"
        return LIBRARIES.get("keras" if name.startswith("tf.keras") else top, top)

    names = sorted(loss.elsewhere, key=library)
    return [(title, ", ".join(group)) for title, group in groupby(names, key=library)]


def _print_items(items: Sequence[tuple[str, str]], console: Console) -> None:
    from rich.padding import Padding
    from rich.text import Text

    if any(head for head, _ in items):
        Table([Column(), Column()], items).print(console, indent=2)
        return
    for _, text in items:
        console.print(Padding(Text(text), (0, 0, 0, 2)))


def data(loss: Loss) -> dict[str, Any]:
    """Return the record in the types of JSON.

    >>> import lossary as L
    >>> data(L.huber)["arguments"][2]["default"]
    1.0
    """
    return {
        "name": loss.name,
        "family": loss.family,
        "summary": _words(loss.summary),
        "signature": signature(loss),
        "arguments": [_argument(loss, argument) for argument in loss.arguments],
        "differentiable": list(loss.differentiable),
        "class_axis": loss.class_axis,
        "promises": sorted(loss.promises),
        "choose": loss.choose,
        "traps": list(loss.traps),
        "elsewhere": list(loss.elsewhere),
        "source": loss.source,
    }


def _argument(loss: Loss, argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "symbol": symbol(argument.name),
        "domain": argument.domain.name,
        "set": str(argument.domain),
        "positional": argument.positional,
        "required": argument.required,
        "default": None if argument.required else argument.default,
        "description": argument.description,
    }


def formulas(loss: Loss) -> dict[str, Any]:
    """Return value, gradient and second derivative, as LaTeX and in one line each."""
    expressions = {
        "value": (loss.latex, loss.written.value),
        "gradient": (loss.gradient_latex, loss.written.gradient),
        "second_derivative": (loss.hessian_latex, loss.written.hessian),
    }
    return {
        "formulas": {
            name: {"latex": latex, "plain": plain(expression)}
            for name, (latex, expression) in expressions.items()
        }
    }
