"""The docstring of a loss, composed from its record."""

from __future__ import annotations

from typing import Any

from lossary.definition import PROMISES, Argument, Definition
from lossary.engine.options import options_of
from lossary.notation.lines import letter, meanings, read

_OPTIONS = {
    "weight": "at least 0, broadcast to the loss; a weight of 0 leaves the element out",
    "mask": "boolean, broadcast to the loss; False leaves an element out, whatever it holds",
    "reduction": '"mean" (divides by the sum of weights), "sum" or "none"',
    "denominator": "a number that the mean divides by instead, such as a global token count",
    "empty": 'the mean over nothing: "zero", "nan" or "raise"; its gradient is 0',
    "check": "False skips the check of values against their sets",
    "inplace": "True lets a kernel write the gradient over the prediction: compute accuracy and "
    "whatever else reads it before the loss",
    "axis": "where the classes lie",
    "position_weight": "at least 0, broadcast to the prediction; weighs positions within the sums",
    "class_weight": "one number per class; a class weight is a weight",
    "ignore_index": "rows with this label are left out",
}

_RAISES = [
    "DomainError   a value lies outside its set; the message names it, its place and the fix",
    "ShapeError    shapes differ: prediction and target are never broadcast",
    "DtypeError    a complex number, or an integer prediction",
]


# Of a loss that sums over positions.
_OVER_POSITIONS = {
    "weight": "at least 0, broadcast to the values; multiplies the finished loss",
    "mask": "boolean, broadcast to the prediction; False leaves a position out of all sums",
    "axis": "where the positions lie: one axis, or several, as (2, 3)",
}

_EMPTY = {
    "zero": "0 where a sum that it divides by is 0, with gradient 0",
    "one": "1 where a sum that it divides by is 0, with gradient 0",
    "nan": "NaN where a sum that it divides by is 0",
}


def describe(loss: Any) -> str:
    """Return what ``help()`` shows."""
    parts = [
        loss.summary,
        _section("Formula", _formula(loss)),
        _section("Arguments", argument_lines(loss)),
        _section("Options", [f"{n:<17}{_option(loss, n)}" for n in options_of(loss)]),
        _section("Returns", [_returns(loss)]),
        _section("Raises", _RAISES),
        _section("Empty", [_EMPTY[loss.empty]] if loss.empty else []),
        _section("Choose it", [loss.choose] if loss.choose else []),
        _section("Traps", [f"- {trap}" for trap in loss.traps]),
        _section("Promises", [f"{p}: {PROMISES[p]}" for p in sorted(loss.promises)]),
        _section("Elsewhere", list(loss.elsewhere)),
        _section("Source", [loss.source]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _formula(loss: Any) -> list[str]:
    (value, *_), named = loss.written.lettered
    (formula,), letters = read(value, named=named)
    return [*formula.lines, *([] if not letters else ["where", *meanings(letters)])]


def _option(loss: Definition, name: str) -> str:
    own = _OVER_POSITIONS.get(name) if loss.over_positions else None
    return own or _OPTIONS[name]


def argument_lines(loss: Definition) -> list[str]:
    """Return one line per argument: its letter in formulas, set, shape, meaning and default."""
    width, room = (
        max(map(len, words)) + 2
        for words in ([a.name for a in loss.arguments], map(letter, loss.arguments))
    )
    return [f"{a.name:<{width}}{letter(a):<{room}}{_argument(loss, a)}" for a in loss.arguments]


def _argument(loss: Definition, argument: Argument) -> str:
    words = [str(argument.domain), _shape(loss, argument)]
    if argument.description:
        words.append(argument.description)
    if not argument.positional and not argument.required:
        words.append("absent unless given" if argument.optional else f"default {argument.default}")
    return "; ".join(words)


def _shape(loss: Definition, argument: Argument) -> str:
    if not argument.positional:
        return "a number, or an array that broadcasts to the loss"
    if loss.over_positions:
        whole = "shape (..., positions)" if argument.domain.class_axis else "shape (...)"
        return f"{whole}, floating" if argument is loss.inputs[0] else whole
    if argument is loss.inputs[0]:
        return f"{_row(loss)}, floating" if loss.class_axis else "any shape S, floating"
    if argument.domain.class_axis:
        return _row(loss)
    if argument.domain.integer:
        return "shape (...), any integer type"
    return "shape (...)" if loss.class_axis else "shape S"


def _row(loss: Definition) -> str:
    return f"shape (..., {len(loss.entries) or 'C'})"


def _returns(loss: Definition) -> str:
    size = "at least 0; " if "non_negative" in loss.promises else ""
    rows = "one number per row" if loss.class_axis else "shape S"
    return f"{size}a scalar, or {rows} for reduction 'none'; half precision returns float32"


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"    {line}" for line in lines)]) if lines else ""
