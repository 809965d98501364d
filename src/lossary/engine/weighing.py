"""Weights, masks and class weights: all become one weight per element or row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossary.engine import hints, readings
from lossary.engine.arguments import Call
from lossary.errors import DomainError, DtypeError, ShapeError

__all__ = [
    "class_table",
    "class_weighted",
    "fill",
    "fits",
    "fitting",
    "given",
    "mask_of",
    "spread",
    "weights_of",
]


def fits(call: Call, name: str, shape: tuple[int, ...], clear: bool = False) -> None:
    """Raise ShapeError unless the shape repeats to that of the unreduced loss, in one way.

    ``clear`` shapes said themselves how they are meant.
    """
    padded = (1,) * (len(call.shape) - len(shape)) + tuple(shape)
    if len(padded) != len(call.shape) or any(
        n not in {1, m, None} and m is not None for n, m in zip(padded, call.shape, strict=True)
    ):
        hint = hints.for_weight(
            call.definition, name, tuple(shape), call.shape, readings.classes(call)
        )
        raise ShapeError(
            f"{call.definition.name}: {name} of shape {tuple(shape)} does not broadcast to the "
            f"loss, {call.shape}\nhint: {hint}"
        )
    if len(shape) == 1 and call.options.check and not clear:
        readings.only_one(call, name, shape[0])


def given(call: Call, name: str, value: Any) -> Any:
    """Return an option or a hyper-parameter as real numbers of the call's library."""
    library = call.library
    refusal = DtypeError(
        f"{call.definition.name}: {name} must be a real number or an array of them, "
        f"got {type(value).__name__} {value!r}"
    )
    try:
        x = value if library.owns(type(value)) else library.array(value, call.prediction)
    except (TypeError, ValueError) as error:
        raise refusal from error
    if library.kind(x) in {"complex", "other"}:
        raise refusal
    return x


def fitting(call: Call, name: str, value: Any) -> Any:
    """Return an option as real numbers that repeat to the unreduced loss."""
    x = given(call, name, value)
    rows = readings.without_classes(call, x) if call.definition.class_axis else x
    fits(call, name, call.library.shape(rows), clear=rows is not x)
    return rows


def spread(call: Call, x: Any) -> Any:
    """Repeat x to one number for each element or row."""
    return call.library.broadcast(x, call.rows)


def weights_of(call: Call) -> tuple[Any, Any]:
    """Return (weight, keep): a weight per element or None, and which elements count or None."""
    library, options = call.library, call.options
    keep = None if options.mask is None else mask_of(call)
    if options.ignore_index is not None:
        label = library.squeeze(call.arrays[call.definition.inputs[1].name])
        counts = label != options.ignore_index
        keep = counts if keep is None else keep & counts
    if options.weight is None:
        return None, keep
    weight = fitting(call, "weight", options.weight)
    if options.check and library.concrete([weight]):
        _check_weight(call, "weight", weight)
    weight = spread(call, weight)
    counts = weight != 0
    return weight, counts if keep is None else keep & counts


def mask_of(call: Call) -> Any:
    """Return which elements the mask keeps."""
    mask = fitting(call, "mask", call.options.mask)
    if call.library.kind(mask) not in {"boolean", "integer"}:
        raise DtypeError(
            f"{call.definition.name}: mask must be True (keep) or False, got "
            f"{hints.dtype_name(mask)}\n"
            f"hint: {hints.for_mask()}"
        )
    keep = mask if call.library.kind(mask) == "boolean" else mask != 0
    return spread(call, keep)


def _check_weight(call: Call, name: str, weight: Any) -> None:
    values = call.library.numpy(weight)
    bad = ~((values >= 0) & (values < float("inf")))
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f" at index {place}" if place else ""
        raise DomainError(
            f"{call.definition.name}: {name} must be a finite number, at least 0, got "
            f"{values[place]:.6g}{where}\n"
            "hint: leave elements out with mask= or a weight of 0"
        )


def fill(call: Call, keep: Any) -> None:
    """Put a harmless value where an element does not count, whatever is stored there."""
    library = call.library
    for argument in call.definition.inputs:
        x, domain = call.arrays[argument.name], argument.domain
        condition = library.expand(keep) if call.definition.class_axis else keep
        neutral: Any = domain.neutral
        if domain.mass:
            neutral = _one_class(call, x, 0.0 if domain.mass != "sum" else 1.0)
        elif domain.integer:
            neutral = 0
        call.arrays[argument.name] = library.where(condition, x, neutral)


def _one_class(call: Call, x: Any, value: float) -> Any:
    """Return the row of a distribution that puts all mass on the first class."""
    classes = call.library.shape(x)[-1]
    rest = 0.0 if value else float("-inf")
    row = call.library.array([value] + [rest] * (classes - 1), x)
    return call.library.cast(row, x.dtype)


def class_weighted(call: Call, weight: Any) -> Any:
    """Fold the class weight into the weight, and for soft targets into the target as well.

    A target distribution t with class weights w costs sum_c w_c t_c l_c: the distribution
    proportional to w t, with the weight sum_c w_c t_c. So one-hot rows and labels agree.
    """
    library, target = call.library, call.definition.inputs[1]
    x = call.arrays[target.name]
    by_class = target.domain.integer or target.domain.class_axis
    table = class_table(call, library.shape(call.prediction)[-1] if by_class else 2)
    if target.domain.integer:
        own = library.squeeze(library.take(table, x))
    elif target.domain.name == "Sign":
        own = library.where(x > 0, table[1], table[0])
        own = library.squeeze(own) if call.definition.class_axis else own
    elif target.domain.class_axis:
        shares = library.cast(x, table.dtype) * table
        mass = library.total_last(shares)
        call.arrays[target.name] = shares / library.where(mass > 0, mass, 1.0)
        own = library.squeeze(mass)
    else:
        wide = library.cast(x, table.dtype)
        mass = wide * table[1] + (1 - wide) * table[0]
        if target.domain.continuous:
            call.arrays[target.name] = wide * table[1] / library.where(mass > 0, mass, 1.0)
        own = mass
    return own if weight is None else own * library.cast(weight, own.dtype)


def class_table(call: Call, classes: int) -> Any:
    """Return the weight of each class."""
    library, value = call.library, call.options.class_weight
    if isinstance(value, (Mapping, str)):
        raise DtypeError(
            f"{call.definition.name}: class_weight must have one number for each of the "
            f"{classes} classes, got {value!r:.60}\nhint: {hints.for_classes(value)}"
        )
    table = given(call, "class_weight", value)
    if library.shape(table) != (classes,):
        raise ShapeError(
            f"{call.definition.name}: class_weight must have one number for each of the "
            f"{classes} classes, got shape {tuple(library.shape(table))}\n"
            f"hint: {hints.for_classes(value)}"
        )
    if call.options.check and library.concrete([table]):
        _check_weight(call, "class_weight", table)
    with library.wide():
        return library.cast(table, library.work_dtype(call.prediction))
