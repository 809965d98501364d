"""Likelihoods and scores of distributions, whose slopes do not cancel."""

from __future__ import annotations

from math import inf
from typing import Any

from lossary.formula import Expression, constant
from lossary.functions.compensated import exp_product
from lossary.functions.elementwise import (
    exp_minus,
    gaussian_nll,
    gaussian_nll_variance_slope,
    sech_squared,
    sigmoid,
)
from lossary.functions.exponentials import log_cosh_difference, scaled_softplus
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
        (2 - p) * exp_product(2 - p, x) + (p - 1) * where(t == 0, 0, t * exp_product(1 - p, x)),
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


def _rest(x: Expression, factor: Expression) -> Expression:
    """Return 1 / (1 + factor exp(x))."""
    return where(x > 0, exp(-x) / (exp(-x) + factor), 1 / (1 + factor * exp(x)))


def _negative_binomial_curvature(x: Expression, t: Expression, c: Expression) -> Expression:
    rest = _rest(x, c)
    share = where(x > 0, c / (exp(-x) + c), c * exp(x) / (1 + c * exp(x)))
    return where(x > 0, rest / (exp(-x) + c), exp(x) * rest * rest) + t * (share * rest)


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
    low, high = where(target == 0, 0, target * above), scaled_softplus(x, factor)
    # Where both overflow, what they are in larger units says which is larger.
    far = 1e300 * (1e-300 * target * above + 1e-300 * high / factor)
    return where(low == -inf, far, low + high / factor)


@named(
    means=lambda x, t, c: (exp(x) - t) / (1 + c * exp(x)),
    # The exponential may overflow.
    slope=lambda x, t, c: (
        _negative_binomial_curvature(x, t, c),
        -_rest(x, c),
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
    slope=lambda x, y, s: (sign(x - y) / s, sign(y - x) / s, laplace_nll_scale_slope(x, y, s)),
)
def laplace_nll(x: Expression, y: Expression, scale: Expression) -> Expression:
    """|x - y| / scale + log(2 scale)."""
    return absolute(x - y) / scale + log(2 * scale)


@named(
    means=lambda x, y, s: (s - absolute(x - y)) / s**2,
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, y, s: (
        sign(y - x) / s / s,
        sign(x - y) / s / s,
        where(x == y, -1 / s / s, 2 * excess(x, y, s / 2) / s / s / s),
    ),
)
def laplace_nll_scale_slope(x: Expression, y: Expression, scale: Expression) -> Expression:
    """The slope of laplace_nll in the scale."""
    return -excess(x, y, scale) / scale / scale


_FAR = 800  # exp(-z) is 0 from here, also times a power of z


@named(
    means=lambda x, s: absolute(x) + s * (exp(-absolute(x) / s) - 3 / 4),
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, s: (laplace_crps_slope(x, s), laplace_crps_scale_slope(x, s)),
)
def laplace_crps(x: Expression, scale: Expression) -> Expression:
    """|x| + scale (exp(-|x| / scale) - 3/4)."""
    size = absolute(x)
    z = size / scale
    return where(z < 1, scale * exp_gap(-z) + scale / 4, size + scale * (exp(-z) - 0.75))


@named(
    means=lambda x, s: -sign(x) * expm1(-absolute(x) / s),
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, s: (
        exp(-absolute(x) / s) / s,
        -sign(x) * _faded(absolute(x) / s, 1) / s,
    ),
)
def laplace_crps_slope(x: Expression, scale: Expression) -> Expression:
    """The slope of laplace_crps in x."""
    return -sign(x) * expm1(-absolute(x) / scale)


def _faded(z: Expression, factor: Any) -> Expression:
    """Return z exp(-z) times a factor, 0 far out."""
    return where(z >= _FAR, 0, z * exp(-z) * factor)


@named(
    means=lambda x, s: (1 + absolute(x) / s) * exp(-absolute(x) / s) - 3 / 4,
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, s: (
        -sign(x) * _faded(absolute(x) / s, 1) / s,
        _faded(absolute(x) / s, absolute(x) / s) / s,
    ),
)
def laplace_crps_scale_slope(x: Expression, scale: Expression) -> Expression:
    """The slope of laplace_crps in the scale."""
    z = absolute(x) / scale
    return where(z >= _FAR, 0, (1 + z) * exp(-z)) - 0.75


@named(
    means=lambda x, s: absolute(x) + s * (2 * log1p(exp(-absolute(x) / s)) - 1),
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, s: (logistic_crps_slope(x, s), logistic_crps_scale_slope(x, s)),
)
def logistic_crps(x: Expression, scale: Expression) -> Expression:
    """Scale times (2 log(2 cosh(x / 2 scale)) - 1)."""
    z = absolute(x) / scale
    near = scale * (2 * log_cosh_difference(z / 2, constant(0)) + _LEAST_LOGISTIC)
    return where(z < 2, near, absolute(x) + scale * (2 * log1p(exp(-z)) - 1))


@named(
    means=lambda x, s: tanh(x / s / 2),
)
def logistic_crps_slope(x: Expression, scale: Expression) -> Expression:
    """The slope of logistic_crps in x."""
    return tanh(x / scale / 2)


def _bent(z: Expression, factor: Any) -> Expression:
    """Return z tanh'(z / 2) / 2 times a factor, 0 far out."""
    return where(absolute(z) >= _FAR, 0, z * sech_squared(z / 2) / 2 * factor)


@named(
    means=lambda x, s: (
        2 * log1p(exp(-absolute(x) / s)) - 1 + 2 * absolute(x) / s / (1 + exp(absolute(x) / s))
    ),
    # Far out an exponential of 0 meets an infinite quotient.
    slope=lambda x, s: (-_bent(x / s, 1) / s, _bent(x / s, x / s) / s),
)
def logistic_crps_scale_slope(x: Expression, scale: Expression) -> Expression:
    """The slope of logistic_crps in the scale."""
    z = absolute(x) / scale
    return 2 * log1p(exp(-z)) - 1 + where(z >= _FAR, 0, 2 * z * sigmoid(-z))


def _weighed_deviation(x: Expression, y: Expression, v: Expression, w: Expression) -> Expression:
    """Return w (x - y) / v: neither a small variance nor a large weight overflows alone."""
    return where(v < 1, w * (x - y) / v, w / v * (x - y))


@named(
    means=lambda x, y, v, w: w * gaussian_nll(x, y, v),
    # As gaussian_nll; the weight takes back what a variance near 0 makes overflow.
    slope=lambda x, y, v, w: (
        _weighed_deviation(x, y, v, w),
        -_weighed_deviation(x, y, v, w),
        w * gaussian_nll_variance_slope(x, y, v),
        gaussian_nll(x, y, v),
    ),
)
def weighed_gaussian_nll(
    mean: Expression, target: Expression, variance: Expression, weight: Expression
) -> Expression:
    """Weight times gaussian_nll, for a weight that goes to 0 with the variance."""
    square = _weighed_deviation(mean, target, variance, weight) * ((mean - target) / 2)
    return weight * (log(variance) / 2) + square
