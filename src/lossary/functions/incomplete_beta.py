"""The incomplete beta function: how much of a beta distribution lies below a share.

As the incomplete gamma function it is computed on the side that has less, by an integral away from
the boundary. In log-odds, s below those of the boundary x, the density falls by
exp(-(a - n x) s - n log(E exp(-s (B - x)))) with n = a + b and a coin B that shows 1 with
probability x: the logarithm is above 0, and so is a - n x on the side that has less.
"""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import inf
from typing import NamedTuple

from lossary.formula import Expression
from lossary.functions.compensated import product_error, rounding, sum_error
from lossary.functions.gamma_function import digamma, lgamma, stirling_gap
from lossary.functions.gaps import exp_gap
from lossary.functions.incomplete_gamma import BY_ROOT_2_PI, SHAPE
from lossary.functions.quadrature import NATS, integral, root
from lossary.functions.ratios import rate_divergence
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    named,
    sqrt,
    weighted,
    where,
)

_RAISED = 8


class _Side(NamedTuple):
    """The side of a boundary that is computed: its parameter, the other's, its share, the rest."""

    a: Expression
    b: Expression
    x: Expression
    rest: Expression


def _lost(side: _Side, rate: Expression) -> Expression:
    """Return (a + b) x less its rounded value, where the smaller of both shares is exact."""
    a, b, x, rest = side
    whole = a + b
    short = where(x > rest, (1 - x) - rest, 0)
    return rounding(product_error(whole, x, rate) + sum_error(a, b, whole) * x + whole * short)


def power_over_beta(a: Expression, b: Expression, x: Expression, rest: Expression) -> Expression:
    """Return x^a rest^b / B(a, b), by Stirling's formula in divergences."""
    whole = a + b
    left, right = whole * x, whole * rest
    apart = rate_divergence(a, left) + rate_divergence(b, right)
    lost = (1 - a / left) * _lost(_Side(a, b, x, rest), left)
    lost = lost + (1 - b / right) * _lost(_Side(b, a, rest, x), right)
    apart = apart + where(absolute(lost) < 1, lost, 0)
    gaps = stirling_gap(whole) - stirling_gap(a) - stirling_gap(b)
    return exp(-apart) * exp(gaps) * (BY_ROOT_2_PI * sqrt(a) * sqrt(b / whole))


def _length(drift: Expression, whole: Expression, part: Expression, side: _Side) -> Expression:
    """Return where the fall has reached NATS, or somewhat beyond."""
    x, rest = side.x, side.rest
    near = root((drift + whole * x * rest) / 2, drift - NATS / 2, NATS)
    far = (NATS - whole * log(rest)) / part
    # With c = 2 h + 2 both log(1 + rest c) >= log(2) rest c and log(2) c - log(1 + c) >= h.
    usual = rest + NATS / whole < 0.5
    close = where(usual, log1p(2 * NATS / (whole * rest) + 2), far)
    found = minimum(minimum(near, far), close)
    for _ in range(2):  # the fall is convex, so that this stays beyond
        fade = exp(-found)
        fall = drift * found + whole * _coin(side, found)
        slope = drift + whole * x * rest * (-expm1(-found)) / (rest + x * fade)
        found = found - maximum(fall - NATS, 0) / slope
    return found


def _coin(side: _Side, s: Expression) -> Expression:
    """Return the logarithm of the mean of exp(-s (B - x))."""
    up, down = exp_gap(side.x * s), exp_gap(-side.rest * s)
    return log1p(side.rest * up + side.x * down)


def side_share(a: Expression, b: Expression, x: Expression, rest: Expression) -> Expression:
    """Return betainc(a, b, x) for a share below the mean; of it and the rest the smaller is exact.

    Some steps up in a first: a share above 1/2 has a pole in log-odds, which a short integral is
    far enough from.
    """
    side = _Side(a, b, x, rest)
    rate = (a + b) * x
    drift = maximum((a - rate) - _lost(side, rate), 0) + _RAISED * rest
    more, whole = a + _RAISED, a + b + _RAISED
    length = _length(drift, whole, more, side)
    found = integral(lambda s: drift * s + whole * _coin(side, s), length)
    for k in range(_RAISED - 1, 0, -1):
        found = (1 + (rate + k * x) * found) / (a + k)
    return weighted(power_over_beta(a, b, x, rest), (1 + rate * found) / a)


def _density_bend(a: Expression, b: Expression, x: Expression) -> Expression:
    return beta_density(a, b, x) * ((a - 1) / x - (b - 1) / (1 - x))


@named(
    means=lambda a, b, x: exp(
        weighted(a - 1, log(x))
        + weighted(b - 1, log(1 - x))
        + (lgamma(a + b) - lgamma(a) - lgamma(b))
    ),
    # Of a product; at the ends a power may be infinite.
    slope=lambda a, b, x: (
        beta_density(a, b, x) * (log(x) - digamma(a) + digamma(a + b)),
        beta_density(a, b, x) * (log(1 - x) - digamma(b) + digamma(a + b)),
        _density_bend(a, b, x),
    ),
)
def beta_density(alpha: Expression, beta: Expression, share: Expression) -> Expression:
    """Density of a beta distribution."""
    rest = 1 - share
    found = power_over_beta(alpha, beta, share, rest) / share / rest
    # At an end: 0, infinite, or where the exponent is 0 what the other one has.
    exponent = where(share > 0, beta, alpha) - 1
    edge = where(exponent == 0, where(share > 0, alpha, beta), where(exponent > 0, 0, inf))
    return where((share == 0) | (share == 1), edge, found)


@named(
    # A density; in the parameters nobody has a closed form.
    slope=lambda a, b, x: (SHAPE, SHAPE, beta_density(a, b, x)),
)
def betainc(alpha: Expression, beta: Expression, share: Expression) -> Expression:
    """Regularised incomplete beta function: what lies below a share of a beta distribution."""
    rest = 1 - share
    below = (alpha + beta) * share < alpha
    pairs = ((alpha, beta), (beta, alpha), (share, rest), (rest, share))
    side = side_share(*(where(below, lower, upper) for lower, upper in pairs))
    return where(below, side, 1 - side)
