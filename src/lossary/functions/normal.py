"""Normal numbers by their spread: a scale, its logarithm, or what a softplus makes of a number.

A square over a variance is never taken apart: beside an error of 0 it is 0, also where the
variance is too small for a number.
"""

from __future__ import annotations

from lossary.formula import Expression, constant
from lossary.functions.carried import is_rounded, made_good
from lossary.functions.elementwise import sigmoid, softplus
from lossary.functions.vocabulary import (
    absolute,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    named,
    weighted,
    where,
)

_FAR = 700
"""Up to here an exponential is a normal number, and so is its inverse."""


def _grown(x: Expression, y: Expression, share: float) -> Expression:
    """Return x exp(share y) in two steps, none of which under- or overflows before the whole."""
    whole, rest = made_good(y) if is_rounded(y) else (y, None)
    power = whole if share == 1 else share * whole
    near = maximum(minimum(power, _FAR), -_FAR)
    part, growth = weighted(x, exp(near)), exp(power - near)
    found = where((part == 0) | (growth == 0), 0, part * growth)  # a difference may overflow
    return found if rest is None else found * (1 + share * rest)


@named(
    means=lambda x, y: x * exp(y),
    # The exponential may be infinite where the product is a number.
    slope=lambda x, y: (exp(y), times_exp(x, y)),
)
def times_exp(x: Expression, power: Expression) -> Expression:
    """X exp(power), which is 0 where x is, and may be a number where the exponential is none."""
    return _grown(x, power, 1)


@named(
    means=lambda x, y: x * x * exp(y),
    # As above.
    slope=lambda x, y: (2 * times_exp(x, y), square_times_exp(x, y)),
)
def square_times_exp(x: Expression, power: Expression) -> Expression:
    """X^2 exp(power), whose parts may under- or overflow where the whole does not."""
    half = _grown(x, power, 0.5)
    return half * half


def _odds(x: Expression, y: Expression, v: Expression) -> tuple[Expression, Expression]:
    """Return x^2 exp(y) / v, and what it is of itself and 1."""
    odds = square_times_exp(x, y) / v
    return odds, where(odds > 1, 1 / (1 + 1 / odds), odds / (1 + odds))


def _odds_slopes(x: Expression, y: Expression, v: Expression) -> tuple[Expression, ...]:
    odds, share = _odds(x, y, v)
    near = 2 * (times_exp(x, y) / v) / (1 + odds)
    return where(odds > 1, 2 * share / where(x == 0, 1, x), near), share, -share / v


@named(
    means=lambda x, y, v: log(1 + x**2 * exp(y) / v),
    # The exponential, and what it is multiplied by, may be infinite where the logarithm is none.
    slope=_odds_slopes,
)
def log1p_square_times_exp(x: Expression, power: Expression, scale: Expression) -> Expression:
    """log(1 + x^2 exp(power) / scale): Student's t by the logarithm of its spread."""
    odds, _ = _odds(x, power, scale)
    apart = 2 * log(absolute(x)) + power - log(scale)
    return where(odds < 1e300, log1p(odds), apart)


_TAIL = -40
"""Below, softplus(x) is exp(x) to more digits than float64 holds."""


def softplus_rate(x: Expression) -> Expression:
    """Return the slope of log(softplus(x)), whose parts are both 0 far out."""
    return where(x < _TAIL, 1, sigmoid(x) / softplus(maximum(x, _TAIL)))


@named(
    means=lambda x, s: x / softplus(s),
    # The softplus may be 0 where its logarithm is a number.
    slope=lambda x, s: (
        over_softplus(constant(1), s),
        -(over_softplus(x, s) * softplus_rate(s)),
    ),
)
def over_softplus(x: Expression, spread: Expression) -> Expression:
    """X over softplus(spread), which may be a number where the softplus is too small for one."""
    return where(spread < _TAIL, times_exp(x, -spread), x / softplus(maximum(spread, _TAIL)))


@named(
    means=lambda x, s: (x / softplus(s)) ** 2,
    # As above.
    slope=lambda x, s: (
        2 * over_softplus(over_softplus(x, s), s),
        -2 * (square_over_softplus(x, s) * softplus_rate(s)),
    ),
)
def square_over_softplus(x: Expression, spread: Expression) -> Expression:
    """The square of x over softplus(spread)."""
    return over_softplus(x, spread) * over_softplus(x, spread)
