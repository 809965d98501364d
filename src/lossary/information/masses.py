"""Probabilities as given become distributions: checked, and divided by their exact sum.

Rounded probabilities hardly ever sum to exactly 1. What is meant by ``[p_1, ..., p_n]`` is
therefore the distribution ``p_i / sum(p)``, with the sum taken without rounding; it must be within
the square root of the dtype's precision of 1. It makes every measure obey its laws (Gibbs'
inequality, the chain rule) on rounded input too, and keeps ``[1, 1e-20]``, where the 1 is a rounded
1 - 1e-20, from losing the information of its first outcome.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.errors import DomainError, DtypeError, LossaryError, ShapeError
from lossary.information.exact import Pair, pair_of, pair_sum, row_sum, two_sum
from lossary.information.units import Array, Unit
from lossary.kinds import first_place, plain

Axis = int | Sequence[int] | None

# NumPy cannot name the precision of these types, which ml_dtypes adds to it.
PRECISION = {"bfloat16": 2.0**-7, "float8_e4m3fn": 2.0**-3, "float8_e5m2": 2.0**-2}


@dataclass(frozen=True)
class Masses:
    """Distributions along the last axis; exact values are pairs (see ``exact``)."""

    value: Pair
    total: Pair

    @property
    def shares(self) -> Array:
        """The probabilities, divided by their sum."""
        return self.value[0] / self.total[0]

    def log(self, unit: Unit) -> Array:
        """Logarithms of the shares; -inf at 0.

        A share near 1 is taken as one minus the exact rest, so that its logarithm is right even
        where the share itself rounds to 1.
        """
        shares = self.shares
        largest = np.argmax(self.value[0], axis=-1)[..., None]
        others = [v.copy() for v in np.broadcast_arrays(*self.value)]
        for part in others:
            np.put_along_axis(part, largest, 0.0, axis=-1)
        rest = row_sum(*others) / self.total[0]
        with np.errstate(divide="ignore"):
            logs = unit.log(shares)
            exact = np.log1p(-np.minimum(rest, 0.25)) / unit.nats
        top = np.where(rest < 0.25, exact, np.take_along_axis(logs, largest, axis=-1))
        np.put_along_axis(logs, largest, top, axis=-1)
        return logs


def masses_of(function: str, argument: str, value: Any, axis: Axis = -1) -> Masses:
    """Check probabilities and read them as distributions along ``axis``.

    A scalar, or ``axis=None``, gives the Bernoulli distribution (p, 1 - p) of each number.
    """
    array, precision = numbers(function, argument, value)
    if axis is None or array.ndim == 0:
        return _bernoulli(function, argument, array)
    tolerance = math.sqrt(precision)
    check_unit(function, argument, array, tolerance)
    rows = _axes_last(function, argument, array, axis)
    masses = Masses(pair_of(rows), pair_sum(rows))
    _check_sums(function, argument, masses.total[0][..., 0], tolerance, axis)
    return masses


def paired_masses(
    function: str, names: tuple[str, str], values: tuple[Any, Any], axis: Axis
) -> tuple[Masses, Masses]:
    """Two sets of distributions of one shape: nothing is broadcast."""
    shapes = [numbers(function, n, v)[0].shape for n, v in zip(names, values, strict=True)]
    if shapes[0] != shapes[1]:
        raise ShapeError(
            f"{function}: {names[1]} must have the shape of {names[0]}, {shapes[0]}, got "
            f"{shapes[1]}; nothing is broadcast: repeat the smaller with numpy.broadcast_to"
        )
    first, second = (masses_of(function, n, v, axis) for n, v in zip(names, values, strict=True))
    return first, second


def numbers(function: str, argument: str, value: Any) -> tuple[Array, float]:
    """Read an argument as float64, and say how precise its own dtype was."""
    try:
        array = plain(f"{function}: {argument}", value)
        kind = array.dtype.kind
        result = array.astype(np.float64) if kind != "c" else None
    except LossaryError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        raise DtypeError(
            f"{function}: {argument} must be real numbers, got {type(value).__name__} ({error}); "
            "pass a rectangular array or list; convert a type like bfloat16 to float32 first"
        ) from None
    if result is None or kind in "USmM":
        raise DtypeError(
            f"{function}: {argument} must be real numbers, got dtype {array.dtype}; "
            "convert it to floating point first"
        )
    return result, _precision(array.dtype)


def _precision(dtype: np.dtype[Any]) -> float:
    if dtype.kind == "f":
        return float(np.finfo(dtype).eps)
    return PRECISION.get(dtype.name, float(np.finfo(np.float64).eps))


def scalar_or_array(result: Array) -> Any:
    """A float for a single number, else the array."""
    return float(result) if np.ndim(result) == 0 else result


def _bernoulli(function: str, argument: str, p: Array) -> Masses:
    check_unit(function, argument, p)
    other, error = two_sum(1.0, -p)
    zero = np.zeros_like(p)
    value = np.stack([p, other], axis=-1), np.stack([zero, error], axis=-1)
    return Masses(value, pair_of(np.ones((*p.shape, 1))))


def _axes_last(function: str, argument: str, array: Array, axis: int | Sequence[int]) -> Array:
    axes = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    outside = [a for a in axes if not -array.ndim <= a < array.ndim]
    if outside or len({a % array.ndim for a in axes}) < len(axes) or not axes:
        raise ShapeError(
            f"{function}: axis must name different axes of {argument}, of shape {array.shape}, "
            f"got {axis}; use -1 for the last axis"
        )
    moved = np.moveaxis(array, axes, range(-len(axes), 0))
    rows = moved.reshape(
        *moved.shape[: array.ndim - len(axes)], math.prod(moved.shape[-len(axes) :])
    )
    if rows.shape[-1] == 0:
        raise ShapeError(
            f"{function}: {argument} has no outcome along axis {axis}, its shape is {array.shape}; "
            "a distribution needs at least one"
        )
    return rows


def check_unit(function: str, argument: str, array: Array, tolerance: float = 0.0) -> None:
    """Refuse what is no probability; above 1 a rounding error of the given size is let through."""
    wrong = ~((array >= 0) & (array <= 1 + tolerance))
    if wrong.any():
        place = first_place(wrong)
        raise DomainError(
            f"{function}: {argument} must be numbers in [0, 1], got {array[place]:.9g}"
            f"{index_text(place)}; "
            "divide counts by their sum, and turn logits into probabilities with a softmax first"
        )


def _check_sums(function: str, argument: str, sums: Array, tolerance: float, axis: Axis) -> None:
    wrong = np.abs(sums - 1) > tolerance
    if wrong.any():
        place = first_place(wrong)
        raise DomainError(
            f"{function}: {argument} must sum to 1 along axis {axis} within {tolerance:.2g}, got "
            f"{sums[place]:.9g}{index_text(place)}; divide by the sum, or pass axis=None if each "
            "number is the probability of one of two outcomes"
        )


def index_text(place: tuple[int, ...]) -> str:
    """A place as the messages print it; nothing for a scalar."""
    return f" at index {place[0] if len(place) == 1 else place}" if place else ""
