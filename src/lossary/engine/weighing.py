"""Weights, masks and class weights: all become one weight per element or row."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from lossary.engine.arguments import Call
from lossary.engine.reading import read
from lossary.errors import DomainError, DtypeError, LossaryError, ShapeError
from lossary.kinds import way_out

__all__ = [
    "class_table",
    "class_weighted",
    "counting",
    "fill",
    "fits",
    "fitting",
    "given",
    "ignored",
    "leave_out",
    "mask_of",
    "spread",
    "weights_of",
]


def fits(call: Call, name: str, shape: tuple[int, ...]) -> None:
    """Raise ShapeError unless the shape repeats to that of the unreduced loss."""
    padded = (1,) * (len(call.shape) - len(shape)) + tuple(shape)
    if len(padded) != len(call.shape) or any(
        n not in {1, m, None} and m is not None for n, m in zip(padded, call.shape, strict=True)
    ):
        raise ShapeError(
            f"{call.definition.name}: {name} of shape {tuple(shape)} does not broadcast to the "
            f"loss, {call.shape}\nhint: one {name} belongs to one "
            f"{'row' if call.definition.class_axis else 'element'}"
        )


def given(call: Call, name: str, value: Any) -> Any:
    """Return an option or a hyper-parameter as real numbers of the call's library."""
    try:
        x = read(call.library, call.definition.name, name, value, call.prediction)
    except LossaryError:
        raise
    except (TypeError, ValueError) as error:
        _refuse(call, name, value, None, error)
    if call.library.kind(x) in {"complex", "other"}:
        _refuse(call, name, value, x)
    return x


def _refuse(call: Call, name: str, value: Any, x: Any, cause: Exception | None = None) -> NoReturn:
    is_array = len(getattr(x, "shape", ())) > 0
    got = f"an array of {x.dtype}" if is_array else f"{type(value).__name__} {value!r}"
    raise DtypeError(
        f"{call.definition.name}: {name} must be a real number or an array of them, "
        f"got {got}{way_out(x)}"
    ) from cause


def leave_out(call: Call) -> None:
    """Fold the masks of masked arrays into the mask of the call."""
    library, keep = call.library, None
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
            f"{_first(mask)}\nhint: give it a number with x.filled(value); a class of weight 0 "
            "does not count"
        )
    if domain is None or not domain.class_axis:
        return mask
    rows = np.asarray(mask.all(axis=call.axis))
    part = mask & ~np.expand_dims(rows, call.axis)
    if part.any():
        raise DomainError(
            f"{call.definition.name}: {name} must be masked in whole rows, got a row with some "
            f"classes masked, the first at index {_first(part)}\nhint: mask the whole row to leave "
            "it out; a class is excluded by a logit of -inf, x.filled(-np.inf)"
        )
    return rows


def _first(places: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(places)[0])


def fitting(call: Call, name: str, value: Any) -> Any:
    """Return an option as real numbers that repeat to the unreduced loss."""
    x = given(call, name, value)
    fits(call, name, call.library.shape(x))
    return x


def spread(call: Call, x: Any) -> Any:
    """Repeat x to one number for each element or row."""
    return call.library.broadcast(x, call.rows)


def weights_of(call: Call) -> tuple[Any, Any]:
    """Return (weight, keep): a weight per element or None, and which elements count or None.

    None stands for a weight of 1, and for all elements.
    """
    library, options = call.library, call.options
    keep = None if options.mask is None else mask_of(call)
    if options.ignore_index is not None:
        counts = _not_ignored(call)
        keep = counts if keep is None else keep & counts
    if options.weight is None:
        return None, _some(call, keep)
    weight = fitting(call, "weight", options.weight)
    if options.check and library.concrete([weight]):
        if library.all((weight > 0) & (weight < float("inf"))):
            return spread(call, weight), _some(call, keep)
        _check_weight(call, "weight", weight, keep)
    weight = spread(call, weight)
    return weight, counting(call, weight, keep)


def counting(call: Call, weight: Any, keep: Any) -> Any:
    """Return which of the elements to keep have a weight other than 0; None for all."""
    counts = weight != 0
    return _some(call, counts if keep is None else keep & counts)


def _some(call: Call, keep: Any) -> Any:
    """Return which elements count; None for all, where that can be seen."""
    if keep is not None and call.library.concrete([keep]) and call.library.all(keep):
        return None
    return keep


def mask_of(call: Call) -> Any:
    """Return which elements the mask keeps."""
    mask = fitting(call, "mask", call.options.mask)
    if call.library.kind(mask) not in {"boolean", "integer"}:
        raise DtypeError(
            f"{call.definition.name}: mask must be True (keep) or False, got {mask.dtype}\n"
            "hint: for numbers use weight="
        )
    keep = mask if call.library.kind(mask) == "boolean" else mask != 0
    return spread(call, keep)


def _not_ignored(call: Call) -> Any:
    """Return where a label is not the ignored one."""
    label = call.library.squeeze(call.arrays[call.definition.inputs[1].name])
    return call.library.differs(label, ignored(call))


def ignored(call: Call) -> int:
    """Return the label that does not count; beyond 64 bits, the last one, as labels are read."""
    return max(-(1 << 63), min(int(call.options.ignore_index or 0), (1 << 63) - 1))


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
        raise DomainError(
            f"{call.definition.name}: {name} must be a finite number, at least 0, got "
            f"{values[bad].flat[0]:.6g} at index {_first(bad)}\n"
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
    library = call.library
    table = given(call, "class_weight", call.options.class_weight)
    if library.shape(table) != (classes,):
        raise ShapeError(
            f"{call.definition.name}: class_weight must have one number for each of the "
            f"{classes} classes, got shape {tuple(library.shape(table))}"
        )
    if call.options.check and library.concrete([table]):
        _check_weight(call, "class_weight", table)
    with library.wide():
        return library.cast(table, library.work_dtype(call.prediction))
