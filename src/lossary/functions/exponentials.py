"""Hyperbolic functions, and differences of exponentials, squares and roots."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import e

from lossary.formula import Expression
from lossary.functions.compensated import exp_difference
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
    where,
)


def _far(size: Expression) -> Expression:
    """Half of exp(size), which overflows later than exp; size - 1 is exact there."""
    return where(size > 700, exp(size - 1) * (e / 2), exp(size) / 2)


@named(
    means=lambda m, x: m.cosh(x),
    slope=lambda x: (sinh(x),),
)
def cosh(x: Expression) -> Expression:
    """Hyperbolic cosine."""
    size = absolute(x)
    return _far(size) + exp(-size) / 2


@named(
    means=lambda m, x: m.sinh(x),
    slope=lambda x: (cosh(x),),
)
def sinh(x: Expression) -> Expression:
    """Hyperbolic sine."""
    size = absolute(x)
    above = expm1(minimum(size, 2))
    near = (above + above / (1 + above)) / 2
    return sign(x) * where(size < 2, near, _far(size) - exp(-size) / 2)


@named(
    means=lambda m, x: m.log(-m.expm1(-x)) if x else -m.inf,
    slope=lambda x: (exp(-x) / -expm1(-x),),
)
def log1mexp(x: Expression) -> Expression:
    """log(1 - exp(-x)) for x from 0 (Maechler 2012, Accurately computing log(1 - exp(-|a|)))."""
    return where(x < 0.6931471805599453, log(-expm1(-x)), log1p(-exp(-x)))


@named(
    means=lambda m, x: m.log(m.log1p(m.exp(x))),
    slope=lambda x: (where(x < -40, 1, sigmoid(x) / softplus(maximum(x, -40))),),
)
def log_softplus(x: Expression) -> Expression:
    """log(softplus(x)), which is x where exp(x) may underflow."""
    return where(x < -40, x, log(softplus(maximum(x, -40))))


@named(
    means=lambda m, x, y: m.exp(x) - m.exp(y),
    slope=lambda x, y: (exp(x), -exp(y)),
)
def exp_minus_exp(x: Expression, y: Expression) -> Expression:
    """exp(x) - exp(y), right also where x is close to y."""
    size = exp(maximum(x, y)) * -expm1(-absolute(x - y))
    return where(x == y, 0, sign(x - y) * size)


@named(
    means=lambda m, x, y: x**2 - y**2,
    slope=lambda x, y: (2 * x, -2 * y),
)
def difference_of_squares(x: Expression, y: Expression) -> Expression:
    """x^2 - y^2 as (x - y) (x + y)."""
    return (x - y) * (x + y)


@named(
    means=lambda m, x, y: m.sqrt(x**2 + y**2),
    slope=lambda x, y: (
        where(hypot(x, y) > 0, x / hypot(x, y), 0),
        where(hypot(x, y) > 0, y / hypot(x, y), 0),
    ),
)
def hypot(x: Expression, y: Expression) -> Expression:
    """Length of a vector of two numbers, whose squares may overflow; its slope at 0 is 0."""
    long, short = maximum(absolute(x), absolute(y)), minimum(absolute(x), absolute(y))
    ratio = short / where(long > 0, long, 1)
    return long * sqrt(1 + ratio * ratio)


@named(
    means=lambda m, x, y: m.sqrt(x**2 + y**2) - y,
    slope=lambda x, y: (
        where(hypot(x, y) > 0, x / hypot(x, y), 0),
        -pseudo_huber(x, y) / hypot(x, y),
    ),
)
def pseudo_huber(x: Expression, y: Expression) -> Expression:
    """sqrt(x^2 + y^2) - y for y from 0, as x^2 / (y + sqrt(x^2 + y^2))."""
    below = y + hypot(x, y)
    return x * (x / where(below == 0, 1, below))


@named(
    means=lambda m, x, y: m.log1p(x**2 / y),
    slope=lambda x, y: (2 / (y / x + x), -(x / y) / (y / x + x)),
)
def log1p_square(x: Expression, scale: Expression) -> Expression:
    """log(1 + x^2 / scale), whose square may overflow."""
    square = x / scale * x
    return where(square < 1e300, log1p(square), 2 * log(absolute(x)) - log(scale))


@named(
    means=lambda m, x: x - m.log(-m.expm1(x)),
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


@named(
    means=lambda m, x, y: m.log1p(m.exp(y - x) * m.expm1(x) / m.expm1(y)),
    slope=lambda x, y: (_odds_share(x, y) / expm1(x), -_odds_share(x, y) / expm1(y)),
)
def odds_ratio_nats(x: Expression, y: Expression) -> Expression:
    """log(1 + odds(y) / odds(x)) of two log-probabilities below 0."""
    ratio = _odds_ratio(x, y)
    return where(ratio < 1e300, log1p(ratio), (y - x) + log(expm1(x) / expm1(y)))


@named(
    means=lambda m, x, c: m.log1p(c * m.exp(x)),
    slope=lambda x, c: (_odds_beside_one(x, c), _odds_beside_one(x, c) / c),
)
def scaled_softplus(x: Expression, factor: Expression) -> Expression:
    """log(1 + factor exp(x)) for a factor above 0, where the product may overflow."""
    product = factor * exp(x)
    return where(product < 1e300, log1p(product), x + log(factor))


def _odds_beside_one(x: Expression, factor: Expression) -> Expression:
    product = factor * exp(x)
    return where(product > 1, 1 / (1 + 1 / product), product / (1 + product))
