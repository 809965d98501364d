"""How far a function is from its tangent, right also where the two meet."""

from __future__ import annotations

from math import factorial

from lossary.formula import Expression
from lossary.functions.coefficients import polynomial
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    named,
    where,
)


def atanh_tail(square: Expression) -> Expression:
    """Return the sum of square^k / (2 k + 3): (atanh s - s) / s^3, enough for |s| < 1/3."""
    return polynomial([1 / (2 * k + 3) for k in range(18)], square)


@named(
    means=lambda x: x - log(1 + x),
    # Over a common denominator: right near its zero.
    slope=lambda x: (x / (1 + x),),
)
def log1p_gap(x: Expression) -> Expression:
    """X - log(1 + x), right also near 0: log(1 + x) is 2 artanh(x / (2 + x))."""
    ratio = where(absolute(x) < 1, x, 0) / (2 + where(absolute(x) < 1, x, 0))
    near = x * ratio - 2 * ratio * (ratio * ratio) * atanh_tail(ratio * ratio)
    return where((x > -0.5) & (x < 1), near, x - log1p(x))


def _exponential_series(x: Expression) -> Expression:
    """Return the sum of x^k / (k + 2)!, which is enough up to 1."""
    return polynomial([1 / factorial(k + 2) for k in range(19)], x)


_LARGE = 1e30  # beside the exponential of this and more, which is infinite


@named(
    means=lambda x: exp(x) - 1 - x,
)
def exp_gap(x: Expression) -> Expression:
    """exp(x) - 1 - x, right also near 0."""
    near = maximum(minimum(x, 1), -1)
    return where(absolute(x) < 1, x * x * _exponential_series(near), expm1(x) - minimum(x, _LARGE))


@named(
    means=lambda x: x - 1 - log(x),
    # As above.
    slope=lambda x: ((x - 1) / x,),
)
def log_gap(x: Expression) -> Expression:
    """X - 1 - log(x), right also near 1."""
    return where(absolute(x - 1) < 0.5, log1p_gap(x - 1), x - 1 - log(x))
