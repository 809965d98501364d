"""Likelihoods and scores of distributions, whose slopes do not cancel."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from lossary.formula import Expression, constant
from lossary.functions.compensated import exp_product
from lossary.functions.elementwise import exp_minus, sigmoid
from lossary.functions.exponentials import cosh, log_cosh_difference, scaled_softplus
from lossary.functions.gaps import exp_gap
from lossary.functions.robust import excess
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log,
    log1p,
    named,
    sign,
    tanh,
    weighted,
    where,
)

_LEAST_LOGISTIC = 0.3862943611198906  # 2 log 2 - 1


@named(
    means=lambda x, t: x + t * exp(-x),
    # Right near its zero.
    slope=lambda x, t: (gamma_nll_slope(x, t), exp(-x)),
)
def gamma_nll(x: Expression, target: Expression) -> Expression:
    """X + target exp(-x) for a target above 0."""
    return x + target * exp(-x)


@named(
    means=lambda x, t: 1 - t * exp(-x),
)
def gamma_nll_slope(x: Expression, target: Expression) -> Expression:
    """The slope of gamma_nll, right also near its zero."""
    return where(absolute(x) < 700, exp_minus(x, target) * exp(-x), 1 - target * exp(-x))


@named(
    means=lambda x, t, p: exp((2 - p) * x) / (2 - p) + weighted(t, exp((1 - p) * x)) / (p - 1),
    # Right near its zero; no target of 0 meets an infinite power.
    slope=lambda x, t, p: (
        tweedie_nll_slope(x, t, p),
        exp_product(1 - p, x) / (p - 1),
        _by_power(x, t, p),
    ),
)
def tweedie_nll(x: Expression, target: Expression, power: Expression) -> Expression:
    """Half a Tweedie deviance, without its constant part, for a power between 1 and 2."""
    rest = 2 - power
    low = where(target == 0, 0, target * exp_product(1 - power, x))
    return exp_product(rest, x) / rest + low / (power - 1)


@named(
    means=lambda x, t, p: exp((2 - p) * x) - weighted(t, exp((1 - p) * x)),
    # The rounding of the exponents made good.
    slope=lambda x, t, p: (
        (2 - p) * exp_product(2 - p, x) - where(t == 0, 0, t * (1 - p) * exp_product(1 - p, x)),
        -exp_product(1 - p, x),
        -x * tweedie_nll_slope(x, t, p),
    ),
)
def tweedie_nll_slope(x: Expression, target: Expression, power: Expression) -> Expression:
    """The slope of tweedie_nll, right also near its zero."""
    near = exp_product(1 - power, x) * exp_minus(x, target)
    apart = where(target == 0, 0, target * exp_product(1 - power, x))
    return where((absolute(x) < 300) & (target > 0), near, exp_product(2 - power, x) - apart)


def _by_power(x: Expression, t: Expression, p: Expression) -> Expression:
    high, low = 1 / (2 - p), 1 / (p - 1)
    return exp_product(2 - p, x) * high * (high - x) - t * exp_product(1 - p, x) * low * (low + x)


def _share(x: Expression, factor: Expression) -> Expression:
    return where(x > 0, 1 / (exp(-x) + factor), exp(x) / (1 + factor * exp(x)))


@named(
    means=lambda x, t, c: (t + 1 / c) * log(1 + c * exp(x)) - t * x,
    # Right near its zero, where the exponential may overflow.
    slope=lambda x, t, c: (
        negative_binomial_nll_slope(x, t, c),
        scaled_softplus(x, c) - x,
        (t + 1 / c) * _share(x, c) - scaled_softplus(x, c) / c / c,
    ),
)
def negative_binomial_nll(x: Expression, target: Expression, factor: Expression) -> Expression:
    """(target + 1/factor) log(1 + factor exp(x)) - target x, whose x cancel far out."""
    fade = exp(-absolute(x))
    close = absolute((factor - 1) + fade) < 0.5
    beside = where(close, log1p((factor - 1) + fade), log(factor + fade))
    above = where(x > 0, beside, log1p(factor * fade) - x)  # log(factor + exp(-x))
    return where(target == 0, 0, target * above) + scaled_softplus(x, factor) / factor


@named(
    means=lambda x, t, c: (exp(x) - t) / (1 + c * exp(x)),
    # The exponential may overflow.
    slope=lambda x, t, c: (
        where(
            x > 0,
            exp(-x) * (1 + c * t) / (exp(-x) + c) / (exp(-x) + c),
            exp(x) * (1 + c * t) / (1 + c * exp(x)) / (1 + c * exp(x)),
        ),
        -1 / (1 + c * exp(x)),
        -negative_binomial_nll_slope(x, t, c) * _share(x, c),
    ),
)
def negative_binomial_nll_slope(
    x: Expression, target: Expression, factor: Expression
) -> Expression:
    """The slope of negative_binomial_nll; 1 + factor exp(x) may overflow."""
    inner = exp_minus(x, target) / (1 + factor * exp(x))
    return where(x > 1, (1 - target * exp(-x)) / (exp(-x) + factor), inner)


@named(
    means=lambda x, y, s: absolute(x - y) / s + log(2 * s),
    # Over a common denominator: right near its zero.
    slope=lambda x, y, s: (sign(x - y) / s, sign(y - x) / s, -excess(x, y, s) / s / s),
)
def laplace_nll(x: Expression, y: Expression, scale: Expression) -> Expression:
    """|x - y| / scale + log(2 scale)."""
    return absolute(x - y) / scale + log(2 * scale)


@named(
    means=lambda x, s: x + s * exp(-x / s) - 3 * s / 4,
    # Far out the exponential of 0 meets an infinite quotient.
    slope=lambda x, s: (-expm1(-x / s), where(x / s < 800, (1 + x / s) * exp(-x / s), 0) - 0.75),
)
def laplace_crps(x: Expression, scale: Expression) -> Expression:
    """x + scale (exp(-x / scale) - 3/4) for x from 0."""
    z = x / scale
    return where(z < 1, scale * exp_gap(-z) + scale / 4, x + scale * (exp(-z) - 0.75))


@named(
    means=lambda x, s: s * (2 * log(2 * cosh(x / s / 2)) - 1),
    # As above.
    slope=lambda x, s: (
        tanh(x / s / 2),
        2 * log1p(exp(-absolute(x) / s)) - 1 + _tail(absolute(x) / s),
    ),
)
def logistic_crps(x: Expression, scale: Expression) -> Expression:
    """Scale times (2 log(2 cosh(x / 2 scale)) - 1)."""
    z = absolute(x) / scale
    near = scale * (2 * log_cosh_difference(z / 2, constant(0)) + _LEAST_LOGISTIC)
    return where(z < 2, near, absolute(x) + scale * (2 * log1p(exp(-z)) - 1))


def _tail(z: Expression) -> Expression:
    """Return 2 z sigmoid(-z), which is 0 far out."""
    return where(z < 800, 2 * z * sigmoid(-z), 0)
