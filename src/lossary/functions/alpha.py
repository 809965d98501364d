"""Amari's divergences of two amounts: one family between the two relative entropies.

Of amounts x and y it is f_a(x, y) = (a x + (1 - a) y - x^a y^(1 - a)) / (a (1 - a)), and the same
as f_(1 - a)(y, x). So a is at most 1/2 in what follows, and only a = 0 has to be a limit: with
d = log(x / y) it is y (e^d - 1 - (e^(a d) - 1) / a) / (1 - a), and near d = 0 the same with what
both exponentials lie above their tangents.
"""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import inf

from lossary.formula import Expression
from lossary.functions.elementwise import log_ratio
from lossary.functions.gaps import exp_gap
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log,
    maximum,
    minimum,
    named,
    sqrt,
    weighted,
    where,
)

_NEAR = 2
"""Up to which logarithm tangents are taken away: there neither way loses more than two thirds."""


def _or_one(x: Expression) -> Expression:
    return where(x == 0, 1, x)


def _none(x: Expression, y: Expression) -> Expression:
    return (x == 0) & (y == 0)


def _logarithm(x: Expression, y: Expression) -> Expression:
    """Return log(x / y); two that are 0 agree."""
    return where(_none(x, y), 0, log_ratio(x, y))


def _root(x: Expression, y: Expression) -> Expression:
    return where(_none(x, y), 1, sqrt(x) / sqrt(y))


def _power(x: Expression, y: Expression, a: Expression) -> Expression:
    """Return x^a y^(1 - a) by the root of their ratio, so that no power of it overflows early."""
    root = where(y == 0, 0, _root(x, y)) ** a
    return weighted(y, root) * root


def _log_power(x: Expression, y: Expression, a: Expression) -> Expression:
    """Return y ((x / y)^a - 1) / a, and y log(x / y) where a is 0."""
    d = _logarithm(x, y)
    exponent = weighted(a, d)
    small = expm1(maximum(minimum(exponent, 1), -1)) / _or_one(a)
    below = weighted(y, where(a == 0, d, small))
    return where(absolute(exponent) < 1, below, (_power(x, y, a) - y) / _or_one(a))


def _gap(x: Expression, y: Expression, a: Expression) -> Expression:
    d = _logarithm(x, y)
    tangent = maximum(minimum(d, _NEAR), -_NEAR)
    near = y * (exp_gap(tangent) - exp_gap(a * tangent) / _or_one(a))
    far = (x - y) - _log_power(x, y, a)
    return where(absolute(d) < _NEAR, near, far) / (1 - a)


def _by_power(x: Expression, y: Expression, a: Expression) -> Expression:
    """Return the slope in a, at most 1/2."""
    d = _logarithm(x, y)
    exponent = weighted(a, d)
    bent = exp(exponent) * exp_gap(-exponent) / _or_one(a * a)
    change = weighted(y, where(exponent == 0, d * d / 2, bent))
    return (_gap(x, y, a) - change) / (1 - a)


def _slopes(x: Expression, y: Expression, a: Expression) -> tuple[Expression, ...]:
    b = 1 - a
    by_power = where(a > 0.5, -_by_power(y, x, b), _by_power(x, y, a))
    return -power_of_ratio(y, x, b), -power_of_ratio(x, y, a), by_power


def _general(x: Expression, y: Expression, a: Expression) -> Expression:
    return (a * x + (1 - a) * y - x**a * y ** (1 - a)) / (a * (1 - a))


@named(
    means=lambda x, y, a: where(
        x + y > 0,
        where(
            a == 1,
            weighted(x, log(x / y)) - x + y,
            where(a == 0, weighted(y, log(y / x)) - y + x, _general(x, y, a)),
        ),
        0,
    ),
    # That of the meaning is 0 / 0 at both limits.
    slope=_slopes,
)
def alpha_gap(x: Expression, y: Expression, a: Expression) -> Expression:
    """Amari's divergence of two amounts, from y log(y / x) at 0 to x log(x / y) at 1."""
    turned = a > 0.5
    return _gap(where(turned, y, x), where(turned, x, y), where(turned, 1 - a, a))


def _ratio_slopes(x: Expression, y: Expression, a: Expression) -> tuple[Expression, ...]:
    d = _logarithm(x, y)
    exponent = a * d
    power = _root(x, y) ** a
    by_power = where(exponent == 0, d * d / 2, exp(exponent) * exp_gap(-exponent) / _or_one(a * a))
    by_x, by_y = where(x == 0, inf, power / x * power), where(power == 0, 0, power / y * power)
    return where(_none(x, y), 0, by_x), -where(_none(x, y), 0, by_y), by_power


@named(
    means=lambda x, y, a: where(a == 0, log(x / y), ((x / y) ** a - 1) / a),
    # As above.
    slope=_ratio_slopes,
)
def power_of_ratio(x: Expression, y: Expression, a: Expression) -> Expression:
    """((x / y)^a - 1) / a, which is log(x / y) at 0."""
    d = _logarithm(x, y)
    exponent = weighted(a, d)
    small = where(a == 0, d, expm1(maximum(minimum(exponent, 1), -1)) / _or_one(a))
    root = _root(x, y) ** a
    return where(absolute(exponent) < 1, small, (root * root - 1) / _or_one(a))
