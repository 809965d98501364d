"""Positions of a loss that sums over them: which axes they lie along, which count, how much.

Such a loss has a value for each place of the other axes. ``weight=`` multiplies those values;
``mask=`` and ``position_weight=`` act inside the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossary.engine.reading import given
from lossary.engine.shapes import may_repeat
from lossary.errors import DomainError, DtypeError, ShapeError

if TYPE_CHECKING:
    from lossary.definition import Definition
    from lossary.engine.arguments import Call


@dataclass(frozen=True)
class Inside:
    """The weight of each position, which of them count, and which values have any that does."""

    weight: Any
    keep: Any
    some: Any


def axes_of(definition: Definition, axis: Any, shape: Any, name: str) -> tuple[int, ...]:
    """Return the axes of the positions, from the first to the last."""
    rank = len(shape)
    if axis is None:
        axes: Sequence[Any] = range(rank)
    elif isinstance(axis, (int, np.integer)):
        axes = (int(axis),)
    else:
        axes = tuple(axis)
    if not axes:
        raise ShapeError(
            f"{definition.name}: axis names no axis for the positions\n"
            f"hint: axis=None takes all {rank} of them"
        )
    for k in axes:
        if not isinstance(k, (int, np.integer)):
            raise DtypeError(f"{definition.name}: axis must be integers, got {axis!r}")
        if not -rank <= k < rank:
            raise ShapeError(f"{definition.name}: axis {k} is outside {name} of shape {shape}")
    found = tuple(sorted(int(k) % rank for k in axes))
    if len(set(found)) < len(found):
        raise ShapeError(f"{definition.name}: axis {axis!r} names an axis twice")
    if any(shape[k] == 0 for k in found):
        raise ShapeError(f"{definition.name}: {name} of shape {shape} has no positions")
    return found


def weighs(call: Call) -> bool:
    """Whether a mask or weights act inside the sums of a call."""
    options = call.options
    given = options.mask is not None or options.position_weight is not None
    return call.definition.over_positions and given


def inside_of(call: Call) -> Inside | None:
    """Return what weighs the positions of a call; None where each counts once."""
    if not weighs(call):
        return None
    library, options = call.library, call.options
    keep = None if options.mask is None else _mask(call)
    dtype = library.work_dtype(call.prediction)
    weight = None
    if options.position_weight is not None:
        if call.definition.counts_places:
            raise DomainError(
                f"{call.definition.name}: position_weight has no meaning in a rank: a member has "
                "one place in an order\nhint: leave members out with mask=; weight= has a number "
                "for each list"
            )
        weight = library.cast(_spread(call, "position_weight", options.position_weight), dtype)
        weight = _sound(call, weight, keep)
        counts = weight != 0
        keep = counts if keep is None else keep & counts
    assert keep is not None  # noqa: S101  (one of the two is given)
    some = ~library.all_last(~keep)
    own = library.cast(keep, dtype) if weight is None else library.where(keep, weight, 0.0)
    # Of values without a position nothing is used; weights of 1 keep their derivatives finite.
    return Inside(library.where(some, own, 1.0), keep, library.squeeze(some))


def masked_positions(call: Call) -> Any:
    """Return the mask of a call with what its masked arrays of NumPy leave out."""
    library, shape = call.library, call.library.shape(call.given)
    left: Any = np.zeros(shape, bool)
    for name, mask in call.masks.items():
        domain = call.definition.domains.get(name)
        whole = domain.class_axis if domain else name in {"mask", "position_weight"}
        own = mask if whole else np.expand_dims(mask, call.axes) if mask.ndim else mask
        left = left | np.broadcast_to(own, shape)
    keep = library.array(~left, call.prediction)
    if call.options.mask is None:
        return keep
    return keep & library.parted(_mask(call), call.axes, call.given)


def _mask(call: Call) -> Any:
    return as_mask(call, _spread(call, "mask", call.options.mask))


def as_mask(call: Call, mask: Any) -> Any:
    """Return a mask as truths; DtypeError for one that holds no truths and no whole numbers."""
    from lossary.engine import hints

    kind = call.library.kind(mask)
    if kind not in {"boolean", "integer"}:
        raise DtypeError(
            f"{call.definition.name}: mask must be True (keep) or False, got "
            f"{hints.dtype_name(mask)}\nhint: {hints.for_mask()}"
        )
    return mask if kind == "boolean" else mask != 0


def _spread(call: Call, name: str, value: Any) -> Any:
    """Return one number for each position, laid out as the data are."""
    library, x = call.library, given(call, name, value)
    shape = library.shape(call.given)
    own = library.shape(x)
    if own is not None and shape is not None and not may_repeat(own, shape):
        first = call.definition.inputs[0].name
        raise ShapeError(
            f"{call.definition.name}: {name} of shape {tuple(own)} does not broadcast to "
            f"{first}, {shape}\nhint: it has one number for each position; weight= has one for "
            "each value"
        )
    return library.merged(library.broadcast(x, call.given), call.axes)


def _sound(call: Call, weight: Any, keep: Any) -> Any:
    """Raise for a weight below 0 or not finite; where that is impossible, make it NaN."""
    if not call.options.check:
        return weight
    library = call.library
    right = (weight >= 0) & (weight < float("inf"))
    if keep is not None:
        right = right | ~keep
    if not library.concrete([weight]):
        return library.where(right, weight, float("nan"))
    with library.aside():
        if not library.all(right):
            numbers = library.numpy(weight)[~library.numpy(right)]
            raise DomainError(
                f"{call.definition.name}: position_weight must be a finite number, at least 0, got "
                f"{float(numbers[0]):.6g}\nhint: leave positions out with mask= or a weight of 0"
            )
    return weight
