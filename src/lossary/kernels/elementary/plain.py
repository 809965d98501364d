"""What is one instruction or a few: roots, rounding, signs, the larger of two, a sum."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossary.kernels.elementary.words import *


def sqrt(x: float) -> float:
    """Return the square root, rounded correctly; NaN below 0."""
    return select(x >= 0.0, square_root(x), inf - inf)


def floor(x: float) -> float:
    """Return the largest whole number that is not above x."""
    return rounded_down(x)


def absolute(x: float) -> float:
    """Return |x|."""
    return magnitude(x)


def sign(x: float) -> float:
    """Return -1, 0 or 1; NaN stays."""
    return select(x > 0.0, 1.0, select(x < 0.0, -1.0, select(x == 0.0, 0.0, x)))


def maximum(x: float, y: float) -> float:
    """Return the larger; NaN if either is."""
    return select((x >= y) | (x != x), x, y)  # noqa: PLR0124  (NaN)


def minimum(x: float, y: float) -> float:
    """Return the smaller; NaN if either is."""
    return select((x <= y) | (x != x), x, y)  # noqa: PLR0124  (NaN)


def add(total: float, error: float, value: float) -> tuple[float, float]:
    """Add a value, with the rounding kept in ``error`` (Neumaier 1974)."""
    rounded = total + value
    larger = magnitude(total) >= magnitude(value)
    lost = select(larger, (total - rounded) + value, (value - rounded) + total)
    return rounded, error + select(magnitude(rounded) < inf, lost, 0.0)
