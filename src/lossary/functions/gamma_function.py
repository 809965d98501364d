"""The logarithm of the gamma function and its derivatives, for numbers above 0.

Stirling's formula with its gap is right for all of them; it cancels only near the zeros of the
logarithm, 1 and 2, and of digamma, 1.46, which have series of their own.
"""

from __future__ import annotations

from math import log as number_log
from math import pi as number_pi
from typing import Any

from lossary.formula import Expression
from lossary.functions.coefficients import COEFFICIENTS, polynomial
from lossary.functions.vocabulary import (
    log,
    log1p,
    maximum,
    minimum,
    named,
    pi,
    weighted,
    where,
)

_HALF_LOG_2PI_LESS_HALF = (number_log(2 * number_pi) - 1) / 2
_LEAST = 0.5  # of what the series of Stirling's gap reach; a step up reaches the rest
_MIDDLE = 1.25**0.5
# The zero of digamma, as a sum of two doubles.
_ZERO, _ZERO_LOW = 1.4616321449683622, 9.549995429965697e-17


def _gap_series(name: str, x: Expression) -> Expression:
    return polynomial(COEFFICIENTS[name], 1 - 2 / (x + 0.5))


def _around_zeros(name: str, x: Expression) -> Expression:
    inside = maximum(minimum(x, 2.5), 0.5)
    return polynomial(COEFFICIENTS[name], (inside - _MIDDLE) / (inside + _MIDDLE))


def _stepped(x: Expression) -> tuple[Expression, Expression]:
    """Return whether a number is small, and the number that the series take in its place."""
    small = x < _LEAST
    return small, where(small, x + 1, x)


def _log_step(x: Expression) -> Expression:
    """Return log(1 + 1 / x), whose quotient may overflow."""
    return log1p(x) - log(x)


@named(
    # The name of its derivative.
    slope=lambda x: (digamma(x),),
)
def lgamma(x: Expression) -> Expression:
    """Logarithm of the gamma function, for numbers above 0."""
    small, up = _stepped(x)
    near = (up - 1) * (up - 2) * _around_zeros("lgamma near its zeros", up)
    far = (up - 0.5) * (log(up) - 1) + (_HALF_LOG_2PI_LESS_HALF + _gap(up))
    value = where(up < 2.5, near, far)
    return where(small, value - log(x), value)


@named(
    # The name of its derivative.
    slope=lambda x: (trigamma(x),),
)
def digamma(x: Expression) -> Expression:
    """Derivative of lgamma."""
    small, up = _stepped(x)
    near = ((up - _ZERO) - _ZERO_LOW) * _around_zeros("digamma near its zero", up)
    value = where(up < 2.5, near, log(up) - 0.5 / up + _gap_slope(up))
    return where(small, value - 1 / x, value)


@named(
    # A sum of one sign; it has no name of its own.
    slope=lambda x: (_tetragamma(x),),
)
def trigamma(x: Expression) -> Expression:
    """Derivative of digamma."""
    small, up = _stepped(x)
    value = (1 + 0.5 / up) / up + _gap_bend(up)
    return where(small, value + 1 / x / x, value)


def _gap(x: Expression) -> Expression:
    return _gap_series("stirling gap", x) / x


def _gap_slope(x: Expression) -> Expression:
    return _gap_series("stirling slope", x) / x / x


def _gap_bend(x: Expression) -> Expression:
    return _gap_series("stirling bend", x) / x / x / x


@named(
    means=lambda x: lgamma(x) - ((x - 1 / 2) * log(x) - x + log(2 * pi) / 2),
    # What the parts leave of each other's derivatives.
    slope=lambda x: (stirling_slope(x),),
)
def stirling_gap(x: Expression) -> Expression:
    """What lgamma(x) has above (x - 1/2) log(x) - x + log(2 pi) / 2."""
    small, up = _stepped(x)
    step = (x + 0.5) * _log_step(x) - 1
    return where(small, _gap(up) + step, _gap(up))


@named(
    means=lambda x: digamma(x) - log(x) + 1 / (2 * x),
    # As that of stirling_gap.
    slope=lambda x: (stirling_bend(x),),
)
def stirling_slope(x: Expression) -> Expression:
    """What digamma(x) has above log(x) - 1 / (2 x)."""
    small, up = _stepped(x)
    step = _log_step(x) - (0.5 / x + 0.5 / (x + 1))
    return where(small, _gap_slope(up) + step, _gap_slope(up))


@named(
    means=lambda x: trigamma(x) - 1 / x - 1 / (2 * x**2),
    # As that of stirling_gap, by a sum of one sign.
    slope=lambda x: (_bend_slope(x),),
)
def stirling_bend(x: Expression) -> Expression:
    """What trigamma(x) has above 1 / x + 1 / (2 x^2)."""
    small, up = _stepped(x)
    step = 0.5 / (x * (x + 1)) / (x * (x + 1))
    return where(small, _gap_bend(up) + step, _gap_bend(up))


# Third derivatives: sums of one sign up to 12, and Stirling's series beyond.
_STEPS = 12
# -psi''(x) is 1/x^2 + 1/x^3 and the sum over k from 1 of B(2 k) (2 k + 1) / x^(2 k + 2).
_BERNOULLI = (1 / 2, -1 / 6, 1 / 6, -3 / 10, 5 / 6, -691 / 210, 35 / 2)


def _third(x: Expression) -> Expression:
    """Return what -psi''(x) has above 1/x^2 + 1/x^3, for large numbers."""
    square = x * x
    return polynomial(_BERNOULLI, 1 / square) / square / square


def _tetragamma(x: Expression) -> Expression:
    far = x + _STEPS
    total: Any = (1 + 1 / far) / far / far + _third(far)
    for k in range(_STEPS - 1, -1, -1):
        total = total + 2 / (x + k) / (x + k) / (x + k)
    return -total


def _bend_slope(x: Expression) -> Expression:
    total: Any = _third(x + _STEPS)
    for k in range(_STEPS - 1, -1, -1):
        low = x + k
        pair = low * (low + 1)
        total = total + (2 * low + 1) / pair / pair / pair
    return -total


@named(
    means=lambda t: lgamma(t + 1) - weighted(t, log(t)) + t,
)
def factorial_gap(t: Expression) -> Expression:
    """What log(t!) has above t log(t) - t: 0 for nothing, log(2 pi t) / 2 for many."""
    many = where(t < 1, 1, t)
    few = lgamma(where(t < 1, t, 0) + 1) - weighted(t, log(t)) + t
    return where(t < 1, few, log(2 * number_pi * many) / 2 + stirling_gap(many))
