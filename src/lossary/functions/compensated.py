"""Arithmetic that carries its rounding along."""

from __future__ import annotations

from functools import reduce
from math import inf
from operator import add

from lossary.formula import Expression, apply
from lossary.functions.vocabulary import absolute, exp, minimum, named, where

# Why: exp of a rounded difference or
# product amplifies the rounding by its argument, so the rounding is carried along.


def rounding(error: Expression) -> Expression:
    """Mark what a computation in twice the needed precision may leave out, because it is tiny."""
    return apply("rounding", error)


def sum_error(x: Expression, y: Expression, rounded: Expression) -> Expression:
    """Return x + y - rounded, exactly (Knuth's two-sum)."""
    back = rounded - x
    error = (x - (rounded - back)) + (y - back)
    return where(absolute(rounded) < inf, error, 0)


def _halves(x: Expression) -> tuple[Expression, Expression]:
    # 2^27 + 1 halves a float64; in float32 the high half becomes 0 and the correction vanishes.
    scaled = x * 134217729.0
    high = scaled - (scaled - x)
    return high, x - high


def product_error(x: Expression, y: Expression, rounded: Expression) -> Expression:
    """Return x y - rounded, exactly (Dekker's two-product)."""
    (x_high, x_low), (y_high, y_low) = _halves(x), _halves(y)
    error = ((x_high * y_high - rounded) + x_high * y_low + x_low * y_high) + x_low * y_low
    return where(absolute(error) < inf, error, 0)


def scale_near(size: Expression) -> Expression:
    """Return a power of two near the size: dividing by it rounds nothing and keeps squares safe."""
    # Adding and taking away 2^52 times the size rounds it to one bit. In float32, and at the ends
    # of the range, that gives 0 or no number; then another number has to do.
    shifted = size * 4503599627370497.0
    rounded = shifted - (shifted - size)
    usable = (rounded > 0) & (rounded < inf)
    high = where(size > 2.0**960, minimum(2.0**1000, size), size)
    return where(usable, rounded, where(size > 0, high, 1))


@named(
    means=lambda x, y, z: x + y + z,
)
def sum_of_three(x: Expression, y: Expression, z: Expression) -> Expression:
    """X + y + z with one rounding, also when the parts nearly cancel."""
    rounded, error = running_sum(x, y, z)
    return rounded + error


@named(
    means=lambda x, y, z, w: x + y + z + w,
)
def sum_of_four(x: Expression, y: Expression, z: Expression, w: Expression) -> Expression:
    """X + y + z + w, as sum_of_three."""
    rounded, error = running_sum(x, y, z, w)
    return rounded + error


@named(
    means=lambda x, y, z, w, v: x + y + z + w + v,
)
def sum_of_five(
    x: Expression, y: Expression, z: Expression, w: Expression, v: Expression
) -> Expression:
    """X + y + z + w + v, as sum_of_three."""
    rounded, error = running_sum(x, y, z, w, v)
    return rounded + error


def running_sum(first: Expression, *parts: Expression) -> tuple[Expression, Expression]:
    """Return a rounded sum, and what its roundings have taken from it."""
    rounded, errors = first, []
    for part in parts:
        more = rounded + part
        errors.append(sum_error(rounded, part, more))
        rounded = more
    return rounded, reduce(add, errors)


@named(
    means=lambda x, y: exp(x - y),
    # It is its own slope, with the rounding made good.
    slope=lambda x, y: (exp_difference(x, y), -exp_difference(x, y)),
)
def exp_difference(x: Expression, y: Expression) -> Expression:
    """exp(x - y); the rounding of x - y is made good to first order."""
    difference = x - y
    error = rounding(sum_error(x, -y, difference))
    # Farther out the exponential is 0 or inf, whatever the rounding.
    return exp(difference) * (1 + where(absolute(difference) < 1000, error, 0))


@named(
    means=lambda x, y: exp(x * y),
    # As above.
    slope=lambda x, y: (y * exp_product(x, y), x * exp_product(x, y)),
)
def exp_product(x: Expression, y: Expression) -> Expression:
    """exp(x y); the rounding of x y is made good to first order."""
    product = x * y
    error = rounding(product_error(x, y, product))
    # A larger error belongs to a product whose exponential is 0 or inf.
    return exp(product) * (1 + where(absolute(error) < 1, error, 0))
