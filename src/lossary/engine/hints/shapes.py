"""Shapes that do not fit each other."""

from __future__ import annotations

from math import prod
from typing import Any

from lossary.definition import Argument, Definition
from lossary.engine.hints.relatives import hard, order, soft

Shape = tuple[Any, ...]


def for_shape(
    definition: Definition,
    argument: Argument,
    shape: Shape,
    wanted: Shape,
    first: Shape,
    integer: bool,
) -> str:
    """Return what to do about the shape of an argument; ``first`` is that of the prediction."""
    name, prediction = argument.name, definition.inputs[0].name
    if not first:
        return f"is {prediction} what the model returned? the order is ({order(definition)})"
    if not shape:
        kind = "int" if argument.domain.integer else "float"
        return f"arrays are never broadcast; {kind}({name}), a Python number, fills every place"
    if shape == (*wanted, 1):
        return f"drop the last axis of {name} with squeeze(-1)"
    if (*shape, 1) == wanted:
        return f"drop the last axis of {prediction} with squeeze(-1)"
    if definition.class_axis and (said := _classes(definition, argument, shape, first, integer)):
        return said
    if sorted(map(str, shape)) == sorted(map(str, wanted)):
        more = "give axis= for the classes, or " if definition.class_axis else ""
        return f"the axes are in another order: {more}transpose one of them"
    if len(shape) == 1 and shape[0] == prod(n or 0 for n in wanted):
        return f"{name} is flat: reshape it to {wanted}"
    if shape == wanted[1:]:
        return f"{name} lacks the first axis; repeat it along that axis if this is meant"
    return "shapes are never broadcast against each other; reshape or expand one of them"


def _classes(
    definition: Definition, argument: Argument, shape: Shape, first: Shape, integer: bool
) -> str:
    """Return what to do if the axis of the classes is missing, too many or another one."""
    name, axis = argument.name, _left_out(first, shape)
    if argument.domain.class_axis:
        if axis is None or not integer:
            return ""
        return f"for class indices use {hard(definition)}, or make {name} one-hot rows"
    if argument.domain.integer and shape == first:
        return f"for one-hot or soft targets use {soft(definition)}; or take argmax"
    return "" if axis is None else f"the classes seem to lie along axis {axis}: give axis={axis}"


def _left_out(whole: Shape, shape: Shape) -> int | None:
    """Return the axis without which one shape is the other."""
    axes = range(len(whole))
    return next((k for k in axes if whole[:k] + whole[k + 1 :] == shape), None)


def for_weight(
    definition: Definition, name: str, shape: Shape, rows: Shape, classes: int | None
) -> str:
    """Return what to do about a weight, mask or hyper-parameter that does not fit the loss."""
    one = "row" if definition.class_axis else "element"
    if classes is not None and shape[-1:] == (classes,):
        if name == "mask":
            return "a mask leaves out rows; a logit of -inf leaves out a class"
        if name == "weight" and len(shape) == 1:
            return "for one weight per class use class_weight="
    if len(shape) < len(rows) and shape == rows[: len(shape)]:
        index = ", ".join([":"] * len(shape) + ["None"] * (len(rows) - len(shape)))
        return f"axes are lined up at the end: to line them up at the start give {name}[{index}]"
    if len(shape) > len(rows) and shape == (*rows, 1):
        return f"drop its last axis with squeeze(-1): one {name} belongs to one {one}"
    return f"one {name} belongs to one {one}"
