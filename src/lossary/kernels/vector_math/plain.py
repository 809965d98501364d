"""What is one instruction or a few: roots, rounding, signs and the larger of two."""

from math import isnan, nan

from lossary.kernels.vector_math.machine import (
    magnitude,
    rounded_down,
    select,
    square_root,
    vectorisable,
)


@vectorisable
def sqrt(x: float) -> float:
    """Return the square root, rounded correctly; NaN below 0."""
    return select(x >= 0.0, square_root(x), nan)


@vectorisable
def floor(x: float) -> float:
    """Return the largest whole number that is not above x."""
    return rounded_down(x)


@vectorisable
def absolute(x: float) -> float:
    """Return |x|."""
    return magnitude(x)


@vectorisable
def sign(x: float) -> float:
    """Return -1, 0 or 1; NaN stays."""
    return select(x > 0.0, 1.0, select(x < 0.0, -1.0, select(x == 0.0, 0.0, x)))


@vectorisable
def maximum(x: float, y: float) -> float:
    """Return the larger; NaN if either is."""
    return select((x >= y) | isnan(x), x, y)


@vectorisable
def minimum(x: float, y: float) -> float:
    """Return the smaller; NaN if either is."""
    return select((x <= y) | isnan(x), x, y)
