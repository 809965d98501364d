"""Hyperbolic functions, and differences of exponentials, squares and roots."""

from __future__ import annotations

from math import e, factorial, inf

from lossary.formula import Expression
from lossary.functions.coefficients import polynomial
from lossary.functions.compensated import exp_difference, rounding, sum_error
from lossary.functions.elementwise import sigmoid, softplus
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    named,
    sign,
    sqrt,
    tanh,
    where,
)


def _far(size: Expression) -> Expression:
    """Half of exp(size), which overflows later than exp; size - 1 is exact there."""
    return where(size > 700, exp(size - 1) * (e / 2), exp(size) / 2)


@named(
    means=lambda x: (exp(x) + exp(-x)) / 2,
)
def cosh(x: Expression) -> Expression:
    """Hyperbolic cosine."""
    size = absolute(x)
    return _far(size) + exp(-size) / 2


@named(
    means=lambda x: (exp(x) - exp(-x)) / 2,
)
def sinh(x: Expression) -> Expression:
    """Hyperbolic sine."""
    size = absolute(x)
    above = expm1(minimum(size, 2))
    near = (above + above / (1 + above)) / 2
    return sign(x) * where(size < 2, near, _far(size) - exp(-size) / 2)


def _cosh_tail(square: Expression) -> Expression:
    """Return the sum of square^(k - 2) / (2 k)! for k = 2 .. 12, which is enough up to x = 2."""
    return polynomial([1 / factorial(2 * k) for k in range(2, 13)], square)


@named(
    means=lambda x, y: log(cosh(x - y)),
)
def log_cosh_difference(x: Expression, y: Expression) -> Expression:
    """log cosh(x - y): no overflow far out, no cancellation near 0, the rounding of x - y kept."""
    difference = x - y
    size = absolute(difference)
    square = minimum(size, 2) * minimum(size, 2)
    # cosh x - 1 by its series, whose first term has one rounding; exp would be squared.
    near = log1p(square / 2 + square * square * _cosh_tail(square))
    far = size - (0.6931471805599453 - log1p(exp(-2 * size)))
    return where(size < 2, near, far) + tanh(difference) * rounding(sum_error(x, -y, difference))


@named(
    means=lambda x: log(1 - exp(-x)),
)
def log1mexp(x: Expression) -> Expression:
    """log(1 - exp(-x)) for x from 0 (Maechler 2012, Accurately computing log(1 - exp(-|a|)))."""
    return where(x < 0.6931471805599453, log(-expm1(-x)), log1p(-exp(-x)))


@named(
    means=lambda x: log(softplus(x)),
    # Where exp(x) underflows the quotient is 0 / 0, and truly 1.
    slope=lambda x: (where(x < -40, 1, sigmoid(x) / softplus(maximum(x, -40))),),
)
def log_softplus(x: Expression) -> Expression:
    """log(softplus(x)), which is x where exp(x) may underflow."""
    return where(x < -40, x, log(softplus(maximum(x, -40))))


@named(
    means=lambda x, y: exp(x) - exp(y),
)
def exp_minus_exp(x: Expression, y: Expression) -> Expression:
    """exp(x) - exp(y), right also where x is close to y."""
    size = exp(maximum(x, y)) * -expm1(-absolute(x - y))
    return where(x == y, 0, sign(x - y) * size)


@named(
    means=lambda x, y: x**2 - y**2,
)
def difference_of_squares(x: Expression, y: Expression) -> Expression:
    """x^2 - y^2 as (x - y) (x + y)."""
    return (x - y) * (x + y)


@named(
    means=lambda x, y: sqrt(x**2 + y**2),
    # Its slope at 0 is 0.
    slope=lambda x, y: (_sine(x, y), _sine(y, x)),
)
def hypot(x: Expression, y: Expression) -> Expression:
    """Length of a vector of two numbers, whose squares may overflow; its slope at 0 is 0."""
    long, short = maximum(absolute(x), absolute(y)), minimum(absolute(x), absolute(y))
    ratio = short / where(long > 0, long, 1)
    return long * sqrt(1 + ratio * ratio)


def _sine(x: Expression, y: Expression) -> Expression:
    length = hypot(x, y)
    return where(absolute(x) < inf, where(length > 0, x / length, 0), sign(x))


@named(
    means=lambda x, y: sqrt(x**2 + y**2) - y,
    # Its slope at 0 is 0, and y / hypot - 1 would cancel.
    slope=lambda x, y: (
        _sine(x, y),
        -pseudo_huber(x, y) / hypot(x, y),
    ),
)
def pseudo_huber(x: Expression, y: Expression) -> Expression:
    """sqrt(x^2 + y^2) - y for y from 0, as x^2 / (y + sqrt(x^2 + y^2))."""
    below = y + hypot(x, y)
    return x * where(absolute(x) < inf, x / where(below == 0, 1, below), sign(x))


@named(
    means=lambda x: x - log(1 - exp(x)),
    # Over a common denominator.
    slope=lambda x: (-1 / expm1(x),),
)
def log_odds(x: Expression) -> Expression:
    """Log-odds of a log-probability below 0."""
    return x - log1mexp(-x)


def _odds_ratio(x: Expression, y: Expression) -> Expression:
    return exp_difference(y, x) * (expm1(x) / expm1(y))


def _odds_share(x: Expression, y: Expression) -> Expression:
    ratio = _odds_ratio(x, y)
    return where(ratio > 1, 1 / (1 + 1 / ratio), ratio / (1 + ratio))


def _share_of_odds(x: Expression, y: Expression) -> Expression:
    return sigmoid(log_odds(y) - log_odds(x))


def _odds_rest(x: Expression, y: Expression) -> Expression:
    """Return 1 less _odds_share."""
    ratio = _odds_ratio(x, y)
    return where(ratio > 1, 1 / ratio / (1 + 1 / ratio), 1 / (1 + ratio))


@named(
    means=lambda x, y: _share_of_odds(x, y) / expm1(x),
    # A product of it.
    slope=lambda x, y: (
        -log1p_odds_ratio_slope(x, y) * (1 + log1p_odds_ratio_slope(x, y)),
        -log1p_odds_ratio_slope(x, y) * (_odds_rest(x, y) / expm1(y)),
    ),
)
def log1p_odds_ratio_slope(x: Expression, y: Expression) -> Expression:
    """The slope of log1p_odds_ratio in x."""
    return _odds_share(x, y) / expm1(x)


@named(
    means=lambda x, y: -_share_of_odds(x, y) / expm1(y),
    # A product of it.
    slope=lambda x, y: (
        log1p_odds_ratio_second_slope(x, y) * (_odds_rest(x, y) / expm1(x)),
        -log1p_odds_ratio_second_slope(x, y) * ((_odds_rest(x, y) + exp(y)) / expm1(y)),
    ),
)
def log1p_odds_ratio_second_slope(x: Expression, y: Expression) -> Expression:
    """The slope of log1p_odds_ratio in y."""
    return -_odds_share(x, y) / expm1(y)


@named(
    means=lambda x, y: log(1 + exp(log_odds(y) - log_odds(x))),
    # The ratio may overflow.
    slope=lambda x, y: (log1p_odds_ratio_slope(x, y), log1p_odds_ratio_second_slope(x, y)),
)
def log1p_odds_ratio(x: Expression, y: Expression) -> Expression:
    """log(1 + odds(y) / odds(x)) of two log-probabilities below 0."""
    ratio = _odds_ratio(x, y)
    return where(ratio < 1e300, log1p(ratio), (y - x) + log(expm1(x) / expm1(y)))


@named(
    means=lambda x, factor: log(1 + factor * exp(x)),
    # The product may overflow.
    slope=lambda x, c: (_odds_beside_one(x, c), _odds_beside_one(x, c) / c),
)
def scaled_softplus(x: Expression, factor: Expression) -> Expression:
    """log(1 + factor exp(x)) for a factor above 0, where the product may overflow."""
    product = factor * exp(x)
    return where(product < 1e300, log1p(product), x + log(factor))


def _odds_beside_one(x: Expression, factor: Expression) -> Expression:
    product = factor * exp(x)
    return where(product > 1, 1 / (1 + 1 / product), product / (1 + product))
