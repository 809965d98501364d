"""The general robust loss of an error: one family from least squares to a bell, with its limits."""

from __future__ import annotations

from math import inf

from lossary.formula import Expression
from lossary.functions.exponentials import hypot
from lossary.functions.robust import log1p_square, square_share
from lossary.functions.vocabulary import (
    absolute,
    expm1,
    log,
    minimum,
    named,
    sign,
    sqrt,
    weighted,
    where,
)

# With b = |a - 2| and u = x^2 / b it is b / a ((1 + u)^(a / 2) - 1). The power is exp(w) for
# w = a / 2 log(1 + u): where w is small, or below 0, by what it is from 1. At a = 2 is b = 0, so
# that near it the power is taken apart: b (1 + u)^(a / 2) = b^(1 - a / 2) hypot(x, sqrt(b))^a.

_SMALL = 0.5


def _width(a: Expression) -> tuple[Expression, Expression]:
    """Return b = |a - 2|, and 1 in its place where it is 0."""
    width = absolute(a - 2)
    return width, where(width == 0, 1, width)


def _power(x: Expression, a: Expression, exponent: Expression) -> Expression:
    """Return (1 + u)^(exponent / 2), for exponents that go to 0 with b where that is small."""
    width, unit = _width(a)
    apart = hypot(x, sqrt(width)) ** exponent * unit ** (-exponent / 2)
    return where(width < 1, apart, hypot(x / sqrt(unit), 1) ** exponent)


def _general(x: Expression, a: Expression) -> Expression:
    square, width = x**2, absolute(a - 2)
    return width / a * ((square / width + 1) ** (a / 2) - 1)


@named(
    means=lambda x, a: where(a == 2, x**2 / 2, where(a == 0, log(x**2 / 2 + 1), _general(x, a))),
    # By its own formula: that of the meaning is 0 / 0 at the limits.
    slope=lambda x, a: (general_robust_slope(x, a), _by_shape(x, a)),
)
def general_robust(x: Expression, power: Expression) -> Expression:
    """Barron's loss of an error in units of its scale; shapes of 2 and 0 are limits."""
    a, size = power, absolute(x)
    width, unit = _width(a)
    whole = log1p_square(size, unit)
    w = where(a == 0, 0, a / 2 * whole)
    growth = where(w == 0, 1, expm1(minimum(w, _SMALL)) / where(w == 0, 1, w))
    some = where(a == 0, 1, a)
    below = unit / some * expm1(minimum(w, _SMALL))
    apart = hypot(size, sqrt(width)) ** a * unit ** (1 - a / 2)
    far = where(width < 1, apart, unit * hypot(size / sqrt(unit), 1) ** a)
    near = where(w < -_SMALL, below, unit / 2 * whole * growth)
    beyond = (far - width) / some
    return where(width == 0, beyond, where(w > _SMALL, beyond, near))


def _by_shape(x: Expression, a: Expression) -> Expression:
    """Return the slope in the shape, endless at 2, as that of b^b at 0: 0 there."""
    width, unit = _width(a)
    some, whole, share = where(a == 0, 1, a), log1p_square(x, unit), square_share(x, unit)
    power, side = _power(x, a, a), sign(a - 2)
    grown = power * (whole / 2 - a / 2 * side * share / unit)
    found = (side - width / some) / some * (power - 1) + width / some * grown
    flat = whole * whole / 4 - whole / 2 + share / 2
    return where(a == 0, flat, where(width == 0, 0, found))


@named(
    means=lambda x, a: where(a == 2, x, x * (x**2 / absolute(a - 2) + 1) ** (a / 2 - 1)),
    # As above.
    slope=lambda x, a: (_bend(x, a), _slope_by_shape(x, a)),
)
def general_robust_slope(x: Expression, power: Expression) -> Expression:
    """The slope of general_robust; beyond all numbers it is that of its largest."""
    a = power
    whole = _power(x, a, a - 2)
    half = _power(x, a, (a - 2) / 2)
    apart = x * half * half  # where the power itself would under- or overflow
    near = where(whole < 1e-290, apart, where(whole < 1e290, x * whole, apart))
    endless = where(a > 1, x, where(a == 1, sign(x), 0))
    return where(absolute(x) == inf, endless, near)


def _bend(x: Expression, a: Expression) -> Expression:
    _, unit = _width(a)
    return _power(x, a, a - 2) * (1 + weighted(a - 2, square_share(x, unit)))


def _slope_by_shape(x: Expression, a: Expression) -> Expression:
    _, unit = _width(a)
    whole, share = log1p_square(x, unit), square_share(x, unit)
    found = general_robust_slope(x, a) * (whole - share) / 2
    return where(a == 2, 0, found)
