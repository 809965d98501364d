"""Weights, masks and class weights: all become one weight per element or row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossary.engine import ambiguity, hints
from lossary.engine.arguments import Call
from lossary.engine.inside import as_mask, masked_positions
from lossary.engine.libraries import symbolic
from lossary.engine.reading import given
from lossary.engine.shapes import may_equal, may_repeat
from lossary.errors import DomainError, DtypeError, ShapeError
from lossary.kinds import first_place


def fits(call: Call, name: str, shape: tuple[int, ...] | None, clear: bool = False) -> None:
    """Raise ShapeError unless the shape repeats to that of the unreduced loss, in one way.

    ``clear`` shapes said themselves how they are meant.
    """
    if shape is None or call.shape is None:
        return
    if not may_repeat(shape, call.shape):
        classes = ambiguity.classes(call)
        hint = hints.for_weight(call.definition, name, tuple(shape), call.shape, classes)
        raise ShapeError(
            f"{call.definition.name}: {name} of shape {tuple(shape)} does not broadcast to the "
            f"loss, {call.shape}\nhint: {hint}"
        )
    if len(shape) == 1 and call.options.check and not clear:
        ambiguity.only_one(call, name, shape[0])


def leave_out(call: Call) -> None:
    """Fold the masks of masked arrays into the mask of the call."""
    library, keep = call.library, None
    if call.definition.over_positions:
        call.options.mask = masked_positions(call)
        return
    for name, mask in call.masks.items():
        masked = _rows_masked(call, name, mask)
        fits(call, name, masked.shape)
        own = spread(call, library.array(~masked, call.prediction))
        keep = own if keep is None else keep & own
    if keep is not None:
        call.options.mask = keep if call.options.mask is None else keep & mask_of(call)


def _rows_masked(call: Call, name: str, mask: np.ndarray) -> np.ndarray:
    """Return which elements or rows the mask of one argument leaves out."""
    domain = call.definition.domains.get(name)
    if name in {"class_weight", "denominator"} or (
        domain and name not in call.arrays and domain.class_axis
    ):
        raise DomainError(
            f"{call.definition.name}: {name} must be known, got a masked number at index "
            f"{first_place(mask)}\nhint: give it a number with x.filled(value); a class of weight "
            "0 does not count"
        )
    if domain is None or not domain.class_axis:
        return mask
    rows = np.asarray(mask.all(axis=call.axis))
    part = mask & ~np.expand_dims(rows, call.axis)
    if part.any():
        raise DomainError(
            f"{call.definition.name}: {name} must be masked in whole rows, got a row with some "
            f"classes masked, the first at index {first_place(part)}\nhint: mask the whole row to "
            "leave it out; a class is excluded by a logit of -inf, x.filled(-np.inf)"
        )
    return rows


def fitting(call: Call, name: str, value: Any) -> Any:
    """Return an option as real numbers that repeat to the unreduced loss."""
    x = given(call, name, value)
    rows = ambiguity.without_classes(call, x) if call.definition.class_axis else x
    fits(call, name, call.library.shape(rows), clear=rows is not x)
    return rows


def spread(call: Call, x: Any) -> Any:
    """Repeat x to one number for each element or row."""
    return call.library.broadcast(x, call.rows)


def weights_of(call: Call) -> tuple[Any, Any]:
    """Return (weight, keep): a weight per element or None, and which elements count or None.

    None stands for a weight of 1, and for all elements.
    """
    library, options = call.library, call.options
    keep = kept(call)
    if options.weight is None:
        return None, _some(call, keep)
    weight = fitting(call, "weight", options.weight)
    if options.check and library.concrete([weight]):
        with library.aside():
            usual = library.all((weight > 0) & (weight < float("inf")))
        if usual:
            return spread(call, weight), _some(call, keep)
    if options.check:
        weight = _sound(call, "weight", weight, keep)
    weight = spread(call, weight)
    return weight, counting(call, weight, keep)


def kept(call: Call) -> Any:
    """Return which elements neither a mask nor their label leaves out; None for all."""
    inside = call.definition.over_positions  # where a mask belongs to positions
    keep = None if call.options.mask is None or inside else mask_of(call)
    if call.options.ignore_index is None:
        return keep
    counts = not_ignored(call)
    return counts if keep is None else keep & counts


def counting(call: Call, weight: Any, keep: Any) -> Any:
    """Return which of the elements to keep have a weight other than 0; None for all."""
    return counting_too(call, keep, weight != 0)


def counting_too(call: Call, keep: Any, also: Any) -> Any:
    """Return which elements count by two conditions; None for all, where that can be seen."""
    return _some(call, also if keep is None else keep & also)


def _some(call: Call, keep: Any) -> Any:
    """Return which elements count; None for all, where that can be seen."""
    if keep is None or not call.library.concrete([keep]):
        return keep
    with call.library.aside():
        return None if call.library.all(keep) else keep


def mask_of(call: Call) -> Any:
    """Return which elements the mask keeps."""
    return spread(call, as_mask(call, fitting(call, "mask", call.options.mask)))


def _sound(call: Call, name: str, weight: Any, keep: Any = None) -> Any:
    """Raise for a weight below 0 or not finite; where that is impossible, make it NaN."""
    library = call.library
    if library.concrete([weight]):
        _check_weight(call, name, weight, keep)
        return weight
    wide = library.cast(weight, library.work_dtype(call.prediction))
    return library.where((wide >= 0) & (wide < float("inf")), wide, float("nan"))


def not_ignored(call: Call) -> Any:
    """Return where a label is not the ignored one."""
    label = call.library.squeeze(call.arrays[call.definition.inputs[1].name])
    value = call.options.ignore_index
    if call.library.owns(type(value)):
        value = call.library.cast(value, label.dtype)
    elif not symbolic(value):
        value = ignored(value)
    return call.library.differs(label, value)


def ignored(value: Any) -> int:
    """Return the label that does not count; beyond 64 bits, the last one, as labels are read."""
    return max(-(1 << 63), min(int(value), (1 << 63) - 1))


def _check_weight(call: Call, name: str, weight: Any, keep: Any = None) -> None:
    values = call.library.numpy(weight)
    good = (values >= 0) & (values < float("inf"))
    if good.all():
        return
    bad = ~good
    if keep is not None and call.library.concrete([keep]):  # what is left out may be anything
        bad = np.broadcast_to(bad, call.shape) & call.library.numpy(keep)
        values = np.broadcast_to(values, call.shape)
    if bad.any():
        place = first_place(bad)
        where = f" at index {place}" if place else ""
        raise DomainError(
            f"{call.definition.name}: {name} must be a finite number, at least 0, got "
            f"{values[place]:.6g}{where}\n"
            "hint: leave elements out with mask= or a weight of 0"
        )


def fill(call: Call, keep: Any, *, inside: bool = False) -> None:
    """Put a harmless value where an element does not count, whatever is stored there.

    With ``inside`` it is positions that count or not.
    """
    library = call.library
    for argument in call.definition.inputs:
        x, domain = call.arrays[argument.name], argument.domain
        if inside and not domain.class_axis:
            continue  # one number of a whole row of positions
        condition = library.expand(keep) if call.definition.class_axis and not inside else keep
        neutral: Any = domain.neutral
        if domain.mass:
            neutral = _one_class(call, x, 0.0 if domain.mass != "sum" else 1.0)
        elif domain.integer:
            neutral = 0
        call.arrays[argument.name] = library.where(condition, x, neutral)


def _one_class(call: Call, x: Any, value: float) -> Any:
    """Return the row of a distribution that puts all mass on the first class."""
    library = call.library
    rest = 0.0 if value else float("-inf")
    row = library.array(value, x)
    return library.cast(library.where(library.first(x), row, rest), x.dtype)


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
    value = call.options.class_weight
    if isinstance(value, (Mapping, str)):
        raise DtypeError(
            f"{call.definition.name}: class_weight must have one number for each of the "
            f"{classes} classes, got {value!r:.60}\nhint: {hints.for_classes(value)}"
        )
    library, table = call.library, given(call, "class_weight", value)
    _one_each(call, "class_weight", table, classes, hints.for_classes(value))
    with library.wide():
        if call.options.check:
            table = _sound(call, "class_weight", table)
        return library.cast(table, library.work_dtype(call.prediction))


def fits_classes(call: Call, name: str, x: Any) -> None:
    """Raise ShapeError unless x has one number for each class."""
    _one_each(call, name, x, call.library.shape(call.prediction)[-1])


def _one_each(call: Call, name: str, x: Any, classes: int | None, hint: str = "") -> None:
    shape = call.library.shape(x)
    if shape is not None and (len(shape) != 1 or not may_equal(shape[0], classes)):
        raise ShapeError(
            f"{call.definition.name}: {name} must have one number for each of the "
            f"{classes} classes, got shape {shape}" + (hint and f"\nhint: {hint}")
        )
