"""Angles of numbers: the inverse functions of tangent and cosine."""

from __future__ import annotations

from math import pi

from lossary.formula import Expression
from lossary.functions.coefficients import polynomial
from lossary.functions.vocabulary import absolute, maximum, minimum, named, sqrt, where

# atan(t) / t = sum of (-t^2)^k / (2 k + 1), enough for |t| <= 7/16.
_SERIES = [(-1) ** k / (2 * k + 1) for k in range(23)]
# The angles of 1/2, 1, 3/2 and infinity, and what a double leaves of each.
_HALF, _HALF_LOW = 0.4636476090008061, 2.2698777452961687e-17
_ONE, _ONE_LOW = pi / 4, 3.061616997868383e-17
_MORE, _MORE_LOW = 0.982793723247329, 1.3903311031230998e-17
_RIGHT, _RIGHT_LOW = pi / 2, 6.123233995736766e-17


@named(
    # 1 / (1 + x^2), whose square may overflow.
    slope=lambda x: (_atan_slope(x),),
)
def atan(x: Expression) -> Expression:
    """Return the angle whose tangent is x: by that of the nearest of 0, 1/2, 1, 3/2, infinity."""
    size = absolute(x)
    low = minimum(size, 4)
    ratio = where(size < 0.6875, (2 * low - 1) / (2 + low), (low - 1) / (low + 1))
    ratio = where(size < 1.1875, ratio, (low - 1.5) / (1 + 1.5 * low))
    ratio = where(size < 0.4375, low, where(size < 2.4375, ratio, -1 / size))
    base = where(size < 1.1875, _ONE, where(size < 2.4375, _MORE, _RIGHT))
    base = where(size < 0.4375, 0, where(size < 0.6875, _HALF, base))
    rest = where(size < 1.1875, _ONE_LOW, where(size < 2.4375, _MORE_LOW, _RIGHT_LOW))
    rest = where(size < 0.4375, 0, where(size < 0.6875, _HALF_LOW, rest))
    square = ratio * ratio
    angle = base + (ratio + (rest + ratio * (square * polynomial(_SERIES[1:], square))))
    return where(x < 0, -angle, angle)


def _atan_slope(x: Expression) -> Expression:
    size = absolute(x)
    return where(size < 1, 1 / (1 + x * x), 1 / size / (size + 1 / size))


@named(
    # In factors, which do not cancel near 1.
    slope=lambda x: (-1 / sqrt((1 - x) * (1 + x)),),
)
def acos(x: Expression) -> Expression:
    """Return the angle whose cosine is x, for numbers from -1 to 1."""
    return 2 * atan(sqrt((1 - x) / (1 + x)))


@named(
    means=lambda gap, rest: 2 * atan(sqrt(gap / rest)),
    # Endless at both ends, where a direction has no side to turn to: 0 there.
    slope=lambda gap, rest: (_share_slope(gap, rest), -_share_slope(rest, gap)),
)
def angle_of_gaps(gap: Expression, rest: Expression) -> Expression:
    """Return the angle whose cosine is 1 - gap and rest - 1 (Kahan 2006, Mangled angles)."""
    # What was computed may be a rounding below 0.
    return 2 * atan(sqrt(maximum(gap, 0)) / sqrt(maximum(rest, 0)))


def _share_slope(own: Expression, other: Expression) -> Expression:
    inside = (own > 0) & (other > 0)
    # The ratio itself may overflow.
    return where(inside, sqrt(other) / sqrt(where(inside, own, 1)) / (own + other), 0)


@named(
    means=lambda x: sqrt(1 - x**2),
    # Endless at 1 and -1, where a direction has no side to turn to: 0 there.
    slope=lambda x: (where(absolute(x) < 1, -x / sine_of_cosine(x), 0),),
)
def sine_of_cosine(x: Expression) -> Expression:
    """Return the sine of the angle from 0 to pi whose cosine is x."""
    return sqrt((1 - x) * (1 + x))
