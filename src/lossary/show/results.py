"""A computed loss on a terminal: the value, and a line per element or class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rich.console import Console

    from lossary.engine import Loss

__all__ = ["print_result"]


def print_result(
    loss: Loss,
    data: Mapping[str, Any],
    options: Mapping[str, Any],
    result: Mapping[str, Any],
    wrt: str,
    console: Console,
) -> None:
    """Print what ``lossary eval`` computed: every digit that the numbers have."""
    from rich.text import Text

    each = np.asarray(result["each"])
    held = [f"{a.name} = {_held(data, a)}" for a in loss.parameters if _held(data, a)]
    console.print(Text.assemble((loss.name, "bold"), "  " + ", ".join(held)))
    console.print()
    if not each.ndim and not loss.class_axis:
        _print_one(loss, data, result, wrt, console)
        return
    reduction = options.get("reduction", "mean")
    if reduction != "none" and (each.ndim or result["value"] != each):
        over = f" of {each.size}" if each.ndim else ""
        console.print(Text.assemble(f"{reduction}{over}: ", (spell(result["value"]), "bold")))
        console.print()
    if loss.class_axis:
        _print_rows(loss, data, options, result, wrt, console)
    else:
        _print_elements(loss, data, result, console)


def _held(data: Mapping[str, Any], argument: Any) -> str:
    value = data.get(argument.name, argument.default)
    if value is None:
        return ""
    return spell(value) if np.ndim(value) == 0 else ",".join(spell(v) for v in np.ravel(value))


def spell(value: Any) -> str:
    """Return a number with all its digits and no needless ones.

    >>> spell(np.float32(0.1)), spell(np.float64(3)), spell(4.139937718785167e-08)
    ('0.1', '3', '4.139937718785167e-08')
    """
    return str(value[()] if isinstance(value, np.ndarray) else value).removesuffix(".0")


def _print_one(
    loss: Loss, data: Mapping[str, Any], result: Mapping[str, Any], wrt: str, console: Console
) -> None:
    rows = [(a.name, spell(data[a.name]), "") for a in loss.inputs]
    rows += [
        ("value", spell(result["value"]), "bold"),
        ("gradient", spell(result["gradient"]), "bold"),
        ("second derivative", spell(result["second_derivative"]), "bold"),
    ]
    if wrt != loss.inputs[0].name:
        rows = [(f"{n} by {wrt}" if n[0] in "gs" else n, value, style) for n, value, style in rows]
    _grid([(name, "left") for name in ("", "")], [(n, v) for n, v, _ in rows], console, head=False)


def _print_elements(
    loss: Loss, data: Mapping[str, Any], result: Mapping[str, Any], console: Console
) -> None:
    """Print a line per element."""
    shape = np.shape(result["each"])
    columns = [*((a.name, data[a.name]) for a in loss.inputs), *_results(result)]
    rows = []
    for place in np.ndindex(*shape):
        index = [", ".join(map(str, place))] if len(shape) > 1 else []
        rows.append([*index, *(spell(np.asarray(values)[place]) for _, values in columns)])
    names = [*(["index"] if len(shape) > 1 else []), *(name for name, _ in columns)]
    _grid([(name, "right") for name in names], rows, console)


def _results(result: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("loss", result["each"]),
        ("gradient", result["gradient"]),
        ("second derivative", result["second_derivative"]),
    ]


def _print_rows(
    loss: Loss,
    data: Mapping[str, Any],
    options: Mapping[str, Any],
    result: Mapping[str, Any],
    wrt: str,
    console: Console,
) -> None:
    """Print a block per row, with a line per class."""
    from rich.text import Text

    axis = options.get("axis", -1)
    columns = [
        *((a.name, data[a.name]) for a in loss.inputs if a.domain.class_axis),
        ("gradient", result["gradient"]),
        ("second derivative", result["second_derivative"]),
    ]
    columns = [(name, np.moveaxis(np.asarray(values), axis, -1)) for name, values in columns]
    single = [(a.name, data[a.name]) for a in loss.inputs if not a.domain.class_axis]
    single.append(("loss", result["each"]))
    entry = "entry" if loss.family == "similarity" else "class"
    for number, place in enumerate(np.ndindex(*np.shape(result["each"]))):
        if number:
            console.print()
        words = ", ".join(f"{name} = {spell(np.asarray(x)[place])}" for name, x in single)
        where = f"row {', '.join(map(str, place))}: " if place else ""
        console.print(Text(where + words))
        count = columns[0][1].shape[-1]
        rows = [[str(c), *(spell(x[place][c]) for _, x in columns)] for c in range(count)]
        _grid([(n, "right") for n in (entry, *(name for name, _ in columns))], rows, console)


def _grid(columns: Any, rows: Any, console: Console, *, head: bool = True) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=head, header_style="dim", pad_edge=False, padding=(0, 1))
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=head)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
