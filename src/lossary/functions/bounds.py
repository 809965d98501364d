"""The probability between two bounds, whose two parts may be all but equal."""

from __future__ import annotations

from math import inf

from lossary.formula import Expression
from lossary.functions.carried import (
    exp_of_rounded,
    expm1_of_rounded,
    made_good,
    sigmoid_of_rounded,
    softplus_of_rounded,
)
from lossary.functions.elementwise import sech_squared, sigmoid
from lossary.functions.exponentials import log1mexp
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log,
    maximum,
    minimum,
    named,
    where,
)


def _density(z: Expression) -> Expression:
    return sech_squared(z / 2) / 4


def _bent(z: Expression) -> Expression:
    return where(absolute(z) < inf, z * _density(z), 0)


def _width(first: Expression, second: Expression, scale: Expression) -> Expression:
    """Return how far the bounds are apart, 0 also where both are infinite."""
    apart = maximum(first, second) - minimum(first, second)
    return where(first == second, 0, apart) / scale


def _log_of_width(width: Expression) -> Expression:
    """Return log(1 - exp(-width)) of a computed width."""
    whole, rest = made_good(width)
    return log1mexp(whole) + where(whole > 0, rest / expm1(whole), 0)


def _by_bound(x: Expression, own: Expression, other: Expression, scale: Expression) -> Expression:
    """Return the slope in one bound: what it lies beyond, and how near the other one is."""
    z, width = (own - x) / scale, _width(own, other, scale)
    near = exp_of_rounded(-width) / -expm1_of_rounded(-width)
    return (
        where(own < other, sigmoid_of_rounded(z) + near, -(sigmoid_of_rounded(-z) + near)) / scale
    )


def _by_scale(x: Expression, low: Expression, high: Expression, scale: Expression) -> Expression:
    a, b = (minimum(low, high) - x) / scale, (maximum(low, high) - x) / scale
    below = where(absolute(a) < inf, a * sigmoid_of_rounded(a), 0)
    above = where(absolute(b) < inf, b * sigmoid_of_rounded(-b), 0)
    width = _width(low, high, scale)
    return (above - below + where(width < 700, width / expm1(width), 0)) / scale


@named(
    means=lambda x, l, u, s: (1 - sigmoid((u - x) / s) - sigmoid((l - x) / s)) / s,
    # Densities, of which none cancels the other.
    slope=lambda x, l, u, s: (
        (_density((u - x) / s) + _density((l - x) / s)) / s / s,
        -_density((l - x) / s) / s / s,
        -_density((u - x) / s) / s / s,
        (_bent((u - x) / s) + _bent((l - x) / s)) / s / s - nearer_bound(x, l, u, s) / s,
    ),
)
def nearer_bound(x: Expression, low: Expression, high: Expression, scale: Expression) -> Expression:
    """The slope of negative_log_between in x: which of both bounds is nearer."""
    a, b = (minimum(low, high) - x) / scale, (maximum(low, high) - x) / scale
    # sigmoid(-b) - sigmoid(a) over a common denominator, of which two are there to choose from.
    right = a + b > 0
    left = expm1_of_rounded(where(right, -(a + b), a + b))
    over = where(right, 1, -1) * left
    sides = [sigmoid_of_rounded(where(right, each, -each)) for each in (a, b)]
    ends = where(a == -inf, sigmoid_of_rounded(-b), -sigmoid_of_rounded(a))
    return where((a == -inf) | (b == inf), ends, over * sides[0] * sides[1]) / scale


@named(
    means=lambda x, l, u, s: (
        log(1 + exp((x - maximum(l, u)) / s))
        + log(1 + exp((minimum(l, u) - x) / s))
        - log(1 - exp((minimum(l, u) - maximum(l, u)) / s))
    ),
    # Parts of one sign; what is infinite has none.
    slope=lambda x, l, u, s: (
        nearer_bound(x, l, u, s),
        _by_bound(x, l, u, s),
        _by_bound(x, u, l, s),
        _by_scale(x, l, u, s),
    ),
)
def negative_log_between(
    x: Expression, low: Expression, high: Expression, scale: Expression
) -> Expression:
    """The negative log-probability that a logistic number lies between two bounds."""
    a, b = (minimum(low, high) - x) / scale, (maximum(low, high) - x) / scale
    lost = softplus_of_rounded(-b) + softplus_of_rounded(a)
    return lost - _log_of_width(_width(low, high, scale))
