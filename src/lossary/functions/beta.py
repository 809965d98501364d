"""The likelihood of a beta distribution, in divergences and the gaps of Stirling's formula."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import log as number_log
from math import pi as number_pi

from lossary.formula import Expression
from lossary.functions.elementwise import log_ratio
from lossary.functions.gamma_function import (
    digamma,
    lgamma,
    stirling_gap,
    stirling_slope,
    trigamma,
)
from lossary.functions.ratios import rate_divergence
from lossary.functions.vocabulary import log, log1p, maximum, named, where

_SMALL = 1e-290  # products below have lost digits
_HALF_LOG_2PI = number_log(2 * number_pi) / 2


def _apart(part: Expression, whole: Expression, t: Expression) -> Expression:
    """Return the divergence of a part from its expectation, whose product may underflow."""
    rate = whole * t
    far = part * (log(part) - log(whole) - log(t)) - part
    return where(rate > _SMALL, rate_divergence(part, rate), far)


@named(
    means=lambda a, b, t: digamma(a) - digamma(a + b) - log(t),
    # Sums of squares, of which both parts are positive.
    slope=lambda a, b, t: (trigamma(a) - trigamma(a + b), -trigamma(a + b), -1 / t),
)
def beta_nll_slope(a: Expression, b: Expression, share: Expression) -> Expression:
    """The slope of beta_nll in a: log(a / (a + b) / t), and what Stirling's formula leaves."""
    s = a + b
    apart = where(s * share > _SMALL, log_ratio(a, s * share), log(a) - log(s) - log(share))
    return (
        apart
        - b / s / (2 * a)
        + (stirling_slope(maximum(a, _SMALL)) - stirling_slope(maximum(s, _SMALL)))
    )


@named(
    means=lambda a, b, t: (
        lgamma(a) + lgamma(b) - lgamma(a + b) - (a - 1) * log(t) - (b - 1) * log(1 - t)
    ),
    # Each by its own name; that of the place is one quotient.
    slope=lambda a, b, t: (
        beta_nll_slope(a, b, t),
        beta_nll_slope(b, a, 1 - t),
        ((b - 1) * t - (a - 1) * (1 - t)) / t / (1 - t),
    ),
)
def beta_nll(a: Expression, b: Expression, share: Expression) -> Expression:
    """The negative log-density of a beta distribution, by Stirling's formula in divergences."""
    s = a + b
    apart = _apart(a, s, share) + _apart(b, s, 1 - share)
    gaps = stirling_gap(a) + stirling_gap(b) - stirling_gap(s)
    return apart + (
        log(share) + log1p(-share) - (log(a) + log(b) - log(s)) / 2 + _HALF_LOG_2PI + gaps
    )
