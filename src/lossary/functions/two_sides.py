"""Yes and no: divergences of log-odds, and the complementary log-log link."""

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions.elementwise import log_ratio, sigmoid, softplus
from lossary.functions.exponentials import log1mexp
from lossary.functions.gaps import exp_gap
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
    weighted,
    where,
)


@named(means=lambda x, y: sigmoid(x) - sigmoid(y))
def sigmoid_difference(x: Expression, y: Expression) -> Expression:
    """Sigmoid(x) less sigmoid(y), right also where they nearly agree."""
    high, low = maximum(x, y), minimum(x, y)
    size = sigmoid(high) * sigmoid(-low) * -expm1(-absolute(x - y))
    return where(x == y, 0, sign(x - y) * size)


def _divergence(x: Expression, y: Expression) -> Expression:
    p, q = sigmoid(x), sigmoid(y)
    return p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))


@named(
    means=_divergence,
    # Both are 0 where the two agree, which their parts are not; a difference may overflow.
    slope=lambda x, y: (
        weighted(sigmoid(x) * sigmoid(-x), x - y),
        sigmoid_difference(y, x),
    ),
)
def sigmoid_divergence(x: Expression, y: Expression) -> Expression:
    """Relative entropy of sigmoid(x) to sigmoid(y), of yes and no.

    With d = y - x less its mean under sigmoid(x), it is log E exp(d) = log(1 + E(exp(d) - 1 - d)).
    """
    p, rest, gap = sigmoid(x), sigmoid(-x), y - x
    close = maximum(minimum(gap, 2), -2)
    near = log1p(p * exp_gap(close * rest) + rest * exp_gap(-(close * p)))
    by_yes = softplus(y) - softplus(x) - weighted(p, gap)
    by_no = softplus(-y) - softplus(-x) + weighted(rest, gap)
    return where(absolute(gap) < 2, near, where(x < 0, by_yes, by_no))


_TAIL = 40
"""Beyond, exp(x) or exp(-x) is nothing beside 1."""


def _cloglog_slope(x: Expression) -> Expression:
    hazard = exp(maximum(minimum(x, _TAIL), -_TAIL))
    return hazard / expm1(hazard)


@named(
    means=lambda x: log(1 - exp(-exp(x))),
    # 0 / 0 on the left, infinity over infinity on the right.
    slope=lambda x: (_cloglog_slope(x),),
)
def log_cloglog(x: Expression) -> Expression:
    """Logarithm of the probability that the complementary log-log link makes of a number."""
    return where(x < -_TAIL, x, log1mexp(exp(maximum(x, -_TAIL))))


def _share(x: Expression, y: Expression) -> Expression:
    """Return x / (x + y), where the sum may overflow."""
    return where(x < y, x / y / (1 + x / y), 1 / (1 + y / x))


@named(
    means=lambda x, y: log(x / (x + y)),
    # The sum may overflow.
    slope=lambda x, y: (_share(y, x) / x, -1 / (x + y)),
)
def log_part(x: Expression, y: Expression) -> Expression:
    """log(x / (x + y)) of two numbers above 0, however far apart they are."""
    return where(y < x, -log1p(y / x), log_ratio(x, y) - log1p(x / y))
