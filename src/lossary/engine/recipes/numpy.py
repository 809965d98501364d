"""Short calls on arrays of NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossary.engine import leases
from lossary.engine.recipes.recipe import (
    NO_RECIPE,
    VALUE,
    Recipe,
    find,
    length,
    option_kind,
)
from lossary.engine.selection import kernels_allowed


def call(
    loss: Any,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...] = VALUE,
    out: Any = None,
) -> Any:
    """Return the reduced loss, or what else is wanted; NO_RECIPE for the long road.

    ``out`` is an array for the gradient, or arrays by what is wanted.
    """
    if not kernels_allowed():
        return NO_RECIPE
    recipe = _found(loss, args, options, wanted)
    shape = args[0].shape if recipe else ()
    if recipe is None or not _fit(recipe, args, options, shape):
        return NO_RECIPE
    if recipe.each and len(shape) == loss.class_axis:  # one value is a scalar
        return NO_RECIPE
    size, classes = args[0].size, _classes(loss, shape)
    if not size or classes == 1 or classes < loss.least_classes:
        return NO_RECIPE
    derivatives = {} if wanted is VALUE else _rooms(args, wanted, out)
    if derivatives is None:
        return NO_RECIPE
    return _computed(recipe, args, options, wanted, derivatives)


def _classes(loss: Any, shape: tuple[int, ...]) -> int:
    return shape[-1] if loss.class_axis and shape else 0


def _found(
    loss: Any, args: tuple[Any, ...], options: Mapping[str, Any], wanted: tuple[str, ...]
) -> Recipe | None:
    """Return the recipe of a call's kind; None while there is none, or never."""
    kind: list[Any] = [loss, wanted]
    for x in args:
        if type(x) is not np.ndarray:
            return None
        kind += (x.dtype, x.ndim)
    classes = _classes(loss, args[0].shape)
    kind.append(classes if loss.entries else length(classes))
    if options:
        kind.append(option_kind(options, _array_kind))
        if kind[-1] is None:
            return None
    moving = () if wanted is VALUE else (0,)
    return find(tuple(kind), loss, args, options, moving, wanted[-1] == "hessian")


def _rooms(
    args: tuple[np.ndarray, ...], wanted: tuple[str, ...], out: Any
) -> dict[str, np.ndarray] | None:
    """Return the array that each derivative goes to; None where one cannot take it."""
    outs = out if isinstance(out, dict) else {"gradient": out}
    found: dict[str, np.ndarray] = {}
    for word in wanted:
        if word != "value":
            room = _room(outs.get(word), args)
            if room is None:
                return None
            found[word] = room
    return found


def _room(out: Any, args: tuple[np.ndarray, ...]) -> np.ndarray | None:
    """Return the array that a derivative goes to; None where machine code cannot write to it."""
    first = args[0]
    if out is None:
        return leases.blank(first.shape, first.dtype)
    plain = type(out) is np.ndarray and out.shape == first.shape and out.dtype == first.dtype
    if not plain or not out.flags.carray or any(np.may_share_memory(out, x) for x in args):
        return None
    return out


def _array_kind(x: Any) -> Any:
    return (x.dtype, x.ndim) if type(x) is np.ndarray else None


def _fit(
    recipe: Recipe, args: tuple[Any, ...], options: Mapping[str, Any], shape: tuple[int, ...]
) -> bool:
    """Whether the arrays of a call have the shapes that were promised, number after number."""
    rows = recipe.places(shape)
    for x, whole in zip(args, recipe.whole, strict=True):
        if x.shape != (shape if whole else rows) or not x.flags.c_contiguous:
            return False
    return not recipe.extras or (
        recipe.fits(shape, rows, {name: options[name].shape for name in recipe.extras})
        and all(options[name].flags.c_contiguous for name in recipe.extras)
    )


def _computed(
    recipe: Recipe,
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    wanted: tuple[str, ...],
    derivatives: Mapping[str, np.ndarray],
) -> Any:
    first = args[0]
    with_value = recipe.each and not recipe.curved
    values = [leases.blank(recipe.places(first.shape), first.dtype)] if with_value else []
    arrays = [*args, *values, *derivatives.values(), *[options[name] for name in recipe.extras]]
    addresses = [x.__array_interface__["data"][0] for x in arrays]
    classes = first.shape[-1] if recipe.rows else 0
    sums = recipe.run(first.size // (classes or 1), classes, addresses, options)
    if sums is None:
        return NO_RECIPE
    value = values[0] if values else _reduced(recipe, sums, first.dtype, options)
    return value if wanted is VALUE else [derivatives.get(kind, value) for kind in wanted]


def _reduced(
    recipe: Recipe, sums: tuple[float, float], dtype: np.dtype, options: Mapping[str, Any]
) -> Any:
    kind = dtype.type if dtype.itemsize >= 4 else np.float32
    mean = recipe.mean(*sums, options)
    return kind(mean) if abs(mean) < _LARGE else _rounded(kind, mean)


_LARGE = 1e38  # no float32 that is smaller overflows, and no float64 ever does here


def _rounded(kind: Any, x: float) -> Any:
    """Return a number as a scalar; what is too large becomes infinite, without a warning."""
    with np.errstate(all="ignore"):
        return kind(x)
