"""Functions of an error that level off, or begin beyond a width."""

from __future__ import annotations

from lossary.formula import Expression, constant
from lossary.functions.carried import exp_of_rounded, expm1_of_rounded
from lossary.functions.compensated import sum_of_three
from lossary.functions.gaps import log1p_gap
from lossary.functions.vocabulary import (
    absolute,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    named,
    sign,
    weighted,
    where,
)


@named(
    means=lambda x, y, e: absolute(x - y) - e,
    # sign(y - x), whose negative would stand in second derivatives.
    slope=lambda x, y, e: (sign(x - y), sign(y - x), constant(-1)),
)
def excess(x: Expression, y: Expression, least: Expression) -> Expression:
    """|x - y| - least with one rounding."""
    return sum_of_three(maximum(x, y), -minimum(x, y), -least)


# Functions of an error in units of a scale that may be tiny: the error may be infinite. A slope is
# a function of its own where the rules would leave the sum or product of an infinity and its like.


@named(
    means=lambda x, s: x**2 / (x**2 + s),
    # The square may overflow.
    slope=lambda x, s: (square_share_slope(x, s), -_over_sum(x, s) * _over_sum(x, s)),
)
def square_share(x: Expression, scale: Expression) -> Expression:
    """x^2 / (x^2 + scale) for a scale above 0, whose square may overflow."""
    return where(absolute(x) < 1, x * x / (x * x + scale), 1 / (1 + scale / (x * x)))


def _over_sum(x: Expression, s: Expression) -> Expression:
    """Return x / (x^2 + s)."""
    return where(absolute(x) < 1, x / (x * x + s), 1 / (x + s / x))


def _share_curvature(x: Expression, s: Expression) -> Expression:
    square, ratio = x * x + s, s / (x * x)
    near = 2 * s * (s - 3 * x * x) / square / square / square
    far = 2 * ratio * (ratio - 3) / (1 + ratio) / (1 + ratio) / (1 + ratio) / x / x
    return where(absolute(x) < 1, near, far)


@named(
    means=lambda x, s: 2 * s * x / (x**2 + s) ** 2,
    # The square may overflow.
    slope=lambda x, s: (
        _share_curvature(x, s),
        2 * x * (x * x - s) / (x * x + s) / (x * x + s) / (x * x + s),
    ),
)
def square_share_slope(x: Expression, scale: Expression) -> Expression:
    """The slope of square_share in x."""
    square, ratio = x * x + scale, scale / (x * x)
    far = 2 * ratio / x / (1 + ratio) / (1 + ratio)
    return where(absolute(x) < 1, 2 * (scale / square) * (x / square), far)


@named(
    means=lambda x, y: log1p(x**2 / y),
    # The square may overflow.
    slope=lambda x, y: (log1p_square_slope(x, y), -(x / y) * _over_sum(x, y)),
)
def log1p_square(x: Expression, scale: Expression) -> Expression:
    """log(1 + x^2 / scale), whose square may overflow."""
    square = x / scale * x
    return where(square < 1e300, log1p(square), 2 * log(absolute(x)) - log(scale))


def _log_curvature(x: Expression, s: Expression) -> Expression:
    square, ratio = x * x + s, s / (x * x)
    far = 2 * (ratio - 1) / (1 + ratio) / (1 + ratio) / x / x
    return where(absolute(x) < 1, 2 * (s - x * x) / square / square, far)


@named(
    means=lambda x, s: 2 * x / (x**2 + s),
    # The square may overflow.
    slope=lambda x, s: (_log_curvature(x, s), -2 * _over_sum(x, s) / (x * x + s)),
)
def log1p_square_slope(x: Expression, scale: Expression) -> Expression:
    """The slope of log1p_square in x."""
    return 2 * _over_sum(x, scale)


def _deviation(x: Expression, y: Expression, scale: Expression) -> tuple[Expression, Expression]:
    """Return an error in units of its scale, and its bell curve exp(-x^2 / 2)."""
    error = (x - y) / scale
    return error, exp_of_rounded(-(error * error) / 2)


_BELL_END = 40  # exp(-x^2 / 2) is 0 from here


@named(
    means=lambda x, y, s: 1 - exp(-(((x - y) / s) ** 2) / 2),
    # Far out its exponential of 0 meets an infinite quotient.
    slope=lambda x, y, s: (
        one_minus_gaussian_slope(x, y, s),
        -one_minus_gaussian_slope(x, y, s),
        weighted(one_minus_gaussian_slope(x, y, s), -(x - y) / s),
    ),
)
def one_minus_gaussian(x: Expression, y: Expression, scale: Expression) -> Expression:
    """1 - exp(-z^2 / 2) of z = (x - y) / scale."""
    error = (x - y) / scale
    near = -expm1_of_rounded(-(error * error) / 2)
    return where(absolute(error) >= _BELL_END, 1, near)


def _bell_curvature(x: Expression, y: Expression, scale: Expression) -> Expression:
    error, bell = _deviation(x, y, scale)
    near = (1 - error) * (1 + error) * bell / scale / scale
    return where(absolute(error) >= _BELL_END, 0, near)


def _bell_by_scale(x: Expression, y: Expression, scale: Expression) -> Expression:
    error, bell = _deviation(x, y, scale)
    near = error * (error * error - 2) * bell / scale / scale
    return where(absolute(error) >= _BELL_END, 0, near)


@named(
    means=lambda x, y, s: (x - y) / s**2 * exp(-(((x - y) / s) ** 2) / 2),
    # As above.
    slope=lambda x, y, s: (
        _bell_curvature(x, y, s),
        -_bell_curvature(x, y, s),
        _bell_by_scale(x, y, s),
    ),
)
def one_minus_gaussian_slope(x: Expression, y: Expression, scale: Expression) -> Expression:
    """The slope of one_minus_gaussian in x."""
    error, bell = _deviation(x, y, scale)
    return where(absolute(error) >= _BELL_END, 0, error * bell / scale)


@named(
    means=lambda x, s: s * absolute(x) - s ** 2 * log1p(absolute(x) / s),
    # The quotient may overflow.
    slope=lambda x, s: (fair_slope(x, s), absolute(x) - 2 * s * log1p(absolute(x) / s)
                        + s * absolute(x) / (s + absolute(x))),
)  # fmt: skip
def fair_error(x: Expression, scale: Expression) -> Expression:
    """scale^2 (z - log(1 + z)) of z = |x| / scale, which may overflow."""
    size = absolute(x) / scale
    return scale * where(size < 1e300, scale * log1p_gap(size), absolute(x))


def _other_share(x: Expression, y: Expression) -> Expression:
    """Return y / (|x| + y)."""
    size = absolute(x)
    return where(size < y, 1 / (1 + size / y), y / size / (1 + y / size))


@named(
    means=lambda x, s: x * s / (absolute(x) + s),
    # As above.
    slope=lambda x, s: (
        _other_share(x, s) * _other_share(x, s),
        sign(x) * (1 - _other_share(x, s)) * (1 - _other_share(x, s)),
    ),
)
def fair_slope(x: Expression, scale: Expression) -> Expression:
    """The slope of fair_error in x."""
    size = absolute(x)
    return where(size < scale, x / (1 + size / scale), sign(x) * (scale / (1 + scale / size)))


@named(
    means=lambda x: 1 - (1 - x**2) ** 3,
)
def biweight(x: Expression) -> Expression:
    """1 - (1 - x^2)^3, right also near 0."""
    square = x * x
    return square * (3 - square * (3 - square))


@named(
    means=lambda x, y: weighted(absolute(x - y), 1 / (absolute(x) + absolute(y))),
    # A difference of quotients would cancel; 0 at two zeros.
    slope=lambda x, y: (_symmetric_slope(x, y), _symmetric_slope(y, x)),
)
def symmetric_error(x: Expression, y: Expression) -> Expression:
    """|x - y| / (|x| + |y|), 0 for two zeros; large numbers are halved: no sum overflows."""
    large = maximum(absolute(x), absolute(y)) > 1
    a, b = where(large, x / 2, x), where(large, y / 2, y)
    return where((x == 0) & (y == 0), 0, absolute(a - b) / (absolute(a) + absolute(b)))


def _symmetric_slope(x: Expression, y: Expression) -> Expression:
    size = absolute(x) + absolute(y)  # numbers of unlike sign are 1 apart, wherever they are
    slope = 2 * weighted(sign(x - y), absolute(y) / size / size)
    return where(sign(x) * sign(y) > 0, slope, 0)
