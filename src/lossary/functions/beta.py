"""The likelihood of a beta distribution, in divergences and the gaps of Stirling's formula."""

from __future__ import annotations

from math import inf
from math import log as number_log
from math import pi as number_pi

from lossary.formula import Expression
from lossary.functions.carried import lost_by
from lossary.functions.compensated import rounding
from lossary.functions.elementwise import log_ratio
from lossary.functions.gamma_function import (
    digamma,
    lgamma,
    stirling_bend,
    stirling_gap,
    stirling_slope,
    trigamma,
)
from lossary.functions.ratios import rate_divergence
from lossary.functions.vocabulary import log, log1p, maximum, named, where

_SMALL = 1e-290  # products below have lost digits
_HALF_LOG_2PI = number_log(2 * number_pi) / 2
_LOG_OF_4 = number_log(4)


def _in_range(a: Expression, b: Expression) -> tuple[Expression, ...]:
    """Return both and their sum, divided by a number that keeps the sum finite; and that."""
    scale = where(a + b < inf, 1, 4)
    return a / scale, b / scale, a / scale + b / scale, scale


def _apart(part: Expression, whole: Expression, t: Expression) -> Expression:
    """Return the divergence of a part from its expectation, whose product may underflow."""
    rate = whole * t
    far = part * (log(part) - log(whole) - log(t)) - part
    return where(rate > _SMALL, rate_divergence(part, rate), far)


@named(
    means=lambda a, b: trigamma(a) - trigamma(a + b),
)
def trigamma_difference(a: Expression, b: Expression) -> Expression:
    """trigamma(a) - trigamma(a + b): 1 / x + 1 / (2 x^2) and poles over one denominator.

    What Stirling's series leaves is a plain difference: beside a far smaller b it keeps half of
    the digits.
    """
    _, other, whole, _ = _in_range(a, b)
    small = a < 1
    up, top = where(small, a + 1, a), where(small, whole + 1, whole)
    pole = where(small, other / whole / a * (1 / a + 1 / whole), 0)
    far = other / top / up * (1 + (0.5 / up + 0.5 / top))
    return pole + (far + (stirling_bend(up) - stirling_bend(top)))


@named(
    means=lambda a, b, t: digamma(a) - digamma(a + b) - log(t),
    # Sums of squares, of which both parts are positive.
    slope=lambda a, b, t: (trigamma_difference(a, b), -trigamma(a + b), -1 / t),
)
def beta_nll_slope(a: Expression, b: Expression, share: Expression) -> Expression:
    """The slope of beta_nll in a: log(a / (a + b) / t), and what Stirling's formula leaves."""
    part, other, whole, _ = _in_range(a, b)
    rate = whole * share
    lost = rounding(lost_by((a + b) * share))
    near = log_ratio(part, rate) - where(rate > _SMALL, lost / rate, 0)
    apart = where(rate > _SMALL, near, log(part) - log(whole) - log(share))
    return (
        apart
        - other / whole / (2 * a)
        + (stirling_slope(maximum(a, _SMALL)) - stirling_slope(maximum(a + b, _SMALL)))
    )


@named(
    means=lambda a, b, t: (b - 1) / (1 - t) - (a - 1) / t,
    # Squares underflow beside a 0.
    slope=lambda a, b, t: (
        -1 / t,
        1 / (1 - t),
        (a - 1) / t / t + (b - 1) / (1 - t) / (1 - t),
    ),
)
def beta_nll_share_slope(a: Expression, b: Expression, share: Expression) -> Expression:
    """The slope of beta_nll in the share, one quotient: both terms agree at its mode."""
    apart = (b - 1) * share - (a - 1) * (1 - share)
    return (apart + rounding(lost_by(apart))) / share / (1 - share)


@named(
    means=lambda a, b, t: (
        lgamma(a) + lgamma(b) - lgamma(a + b) - (a - 1) * log(t) - (b - 1) * log(1 - t)
    ),
    # Each by its own name.
    slope=lambda a, b, t: (
        beta_nll_slope(a, b, t),
        beta_nll_slope(b, a, 1 - t),
        beta_nll_share_slope(a, b, t),
    ),
)
def beta_nll(a: Expression, b: Expression, share: Expression) -> Expression:
    """The negative log-density of a beta distribution, by Stirling's formula in divergences."""
    part, other, whole, scale = _in_range(a, b)
    apart = (_apart(part, whole, share) + _apart(other, whole, 1 - share)) * scale
    gaps = stirling_gap(a) + stirling_gap(b) - stirling_gap(whole)
    logs = log(a) + log(b) - (log(whole) + where(scale > 1, _LOG_OF_4, 0))
    return apart + (log(share) + log1p(-share) - logs / 2 + _HALF_LOG_2PI + gaps)
