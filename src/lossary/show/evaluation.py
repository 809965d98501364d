"""A computed loss on a terminal: the value, and a line per element or class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossary.tables import Column, Styled, Table

if TYPE_CHECKING:
    from rich.console import Console

    from lossary.engine import Loss


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
    parts = _parts(loss, data, options, each.shape)
    if options.get("reduction", "mean") != "none" and (each.ndim or result["value"] != each):
        words = _reduced(options, parts.weight)
        console.print(Text.assemble(words + ": ", (spell(result["value"]), "bold")))
        console.print()
    if loss.class_axis:
        _print_rows(loss, data, options, result, parts, wrt, console)
    else:
        _print_elements(loss, data, result, parts, wrt, console)


@dataclass(frozen=True)
class _Parts:
    """The loss of each element or row before it is weighed, and the weight that it counts with."""

    loss: np.ndarray
    weight: np.ndarray
    weighed: bool

    def spell(self, place: tuple[int, ...]) -> list[str]:
        """Return the weight, if there are any, and the loss; what is left out has none."""
        loss = spell(self.loss[place]) if self.weight[place] else "–"
        return [spell(self.weight[place]), loss] if self.weighed else [loss]

    @property
    def names(self) -> list[str]:
        """What ``spell`` returns."""
        return ["weight", "loss"] if self.weighed else ["loss"]


def _parts(
    loss: Loss, data: Mapping[str, Any], options: Mapping[str, Any], shape: tuple[int, ...]
) -> _Parts:
    """Ask for each element alone: the contract then says what it weighs and what it costs."""
    weighing = {"weight", "mask", "class_weight", "ignore_index"} & options.keys()
    own = {name: value for name, value in options.items() if name in {"axis", *weighing}}
    bare = {name: value for name, value in own.items() if name != "weight"}
    if loss.over_positions:  # a mask is of positions, and sums are within the loss
        whole = np.broadcast_to(loss(**data, **bare, reduction="none"), shape).astype(object)
        weight = np.broadcast_to(options.get("weight", 1.0), shape).astype(object)
        return _Parts(whole, weight, "weight" in options)
    losses, weights = np.empty(shape, object), np.empty(shape, object)
    for place in np.ndindex(*shape):
        mask = np.zeros(shape, bool)
        mask[place] = True
        only = {"mask": mask & np.broadcast_to(options.get("mask", True), shape)}
        losses[place] = np.asarray(loss(**data, **{**bare, **only}))[()]
        weights[place] = np.asarray(loss.sums(**data, **{**own, **only})[1])[()]
    return _Parts(losses, weights, bool(weighing))


def _reduced(options: Mapping[str, Any], weight: np.ndarray) -> str:
    """Say what was added up, and what the sum was divided by."""
    numbers = np.ravel(weight).astype(float)
    counted = int(np.count_nonzero(numbers))
    reduction = options.get("reduction", "mean")
    words = f"{'sum' if 'denominator' in options else reduction} of {counted}"
    if counted < len(numbers):
        words += f" ({len(numbers) - counted} left out)"
    if set(numbers[numbers != 0]) - {1.0}:
        words += f", with weights that add up to {spell(numbers.sum())}"
    if reduction == "mean" and "denominator" in options:
        words += f", divided by {spell(options['denominator'])}"
    return words


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
    cells = [(name, Styled(value, style)) for name, value, style in rows]
    Table([Column(), Column()], cells).print(console)


def _print_elements(
    loss: Loss,
    data: Mapping[str, Any],
    result: Mapping[str, Any],
    parts: _Parts,
    wrt: str,
    console: Console,
) -> None:
    """Print a line per element."""
    inputs = [(a.name, data[a.name]) for a in loss.inputs]
    derivatives = _derivatives(loss, result, wrt)
    shape = parts.loss.shape
    several = len(shape) > 1
    rows = [
        [
            *([", ".join(map(str, place))] if several else []),
            *(_at(values, shape, place) for _, values in inputs),
            *parts.spell(place),
            *(_at(values, shape, place) for _, values in derivatives),
        ]
        for place in np.ndindex(*shape)
    ]
    names = [*dict(inputs), *parts.names, *dict(derivatives)]
    columns = [Column(name, numbers=True) for name in names]
    Table([*([Column("index")] if several else []), *columns], rows).print(console)


def _at(values: Any, shape: tuple[int, ...], place: tuple[int, ...]) -> str:
    return spell(np.broadcast_to(np.asarray(values), shape)[place])


def _derivatives(loss: Loss, result: Mapping[str, Any], wrt: str) -> list[tuple[str, Any]]:
    by = "" if wrt == loss.inputs[0].name else f" by {wrt}"
    return [
        (f"gradient{by}", result["gradient"]),
        (f"second derivative{by}", result["second_derivative"]),
    ]


def _print_rows(
    loss: Loss,
    data: Mapping[str, Any],
    options: Mapping[str, Any],
    result: Mapping[str, Any],
    parts: _Parts,
    wrt: str,
    console: Console,
) -> None:
    """Print a block per row, with a line per class."""
    from rich.text import Text

    axis = options.get("axis", -1)
    columns = [
        *((a.name, data[a.name]) for a in loss.inputs if a.domain.class_axis),
        *_derivatives(loss, result, wrt),
    ]
    columns = [(name, np.moveaxis(np.asarray(values), axis, -1)) for name, values in columns]
    single = [(a.name, data[a.name]) for a in loss.inputs if not a.domain.class_axis]
    entry = "entry" if loss.family == "similarity" or loss.entries else "class"
    heads = [Column(entry), *(Column(name, numbers=True) for name, _ in columns)]
    for number, place in enumerate(np.ndindex(*parts.loss.shape)):
        if number:
            console.print()
        facts = [(name, spell(np.asarray(x)[place])) for name, x in single]
        facts += zip(parts.names, parts.spell(place), strict=True)
        where = f"row {', '.join(map(str, place))}: " if place else ""
        console.print(Text(where + ", ".join(f"{name} = {text}" for name, text in facts)))
        count = columns[0][1].shape[-1]
        rows = [[str(c), *(spell(x[place][c]) for _, x in columns)] for c in range(count)]
        Table(heads, rows).print(console)
