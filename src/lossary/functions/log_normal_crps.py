"""The continuous ranked probability score of a log-normal distribution.

With z for how many scales the logarithm of the target lies above the location, it is the score at
the median and what 2 Phi - 1 adds up to from there: both are positive. From a scale of 2 on the
closed form cancels no more.
"""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import inf
from math import pi as number_pi

from lossary.formula import Expression
from lossary.functions.carried import exp_of_rounded
from lossary.functions.compensated import exp_product
from lossary.functions.error_function import erf, ndtr, normal_density, scaled_erfc
from lossary.functions.quadrature import average
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log,
    maximum,
    minimum,
    named,
    pi,
    sqrt,
    where,
)

_ROOT_HALF, _BY_ROOT_PI = 0.5**0.5, number_pi**-0.5
_FAR = 40.0  # standard deviations from which the density of a normal number is 0
_SURE = 8.5  # and from which 2 Phi - 1 is 1
_WIDE = 2.0
_MOST = 1e150  # a scale whose mean is infinite, and has a product with its tail
_CLOSE = 1.0


def _units(x: Expression, t: Expression, scale: Expression, most: float = _FAR) -> Expression:
    return maximum(minimum((log(t) - x) / scale, most), -most)


def _density(x: Expression, t: Expression, s: Expression, power: int = 0) -> Expression:
    """Return twice the density of a normal number times a power of z, over the scale."""
    z = _units(x, t, s)
    density = 2 * normal_density(z)
    for _ in range(power):
        density = z * density
    return density / s


def _between(z: Expression, scale: Expression) -> Expression:
    """Return erf(scale / 2) - erf((scale - z) / sqrt 2), where they are close by an integral."""
    low, apart = (scale - z) * _ROOT_HALF, z * _ROOT_HALF - scale * (_ROOT_HALF - 0.5)
    length = maximum(minimum(apart, _CLOSE), -_CLOSE)

    def fall(share: float) -> Expression:
        place = scale / 2 - length * share
        return exp(-place * place)

    close = 2 * _BY_ROOT_PI * length * average(fall)
    return where(absolute(apart) < _CLOSE, close, erf(scale / 2) - erf(low))


def _tail(scale: Expression) -> Expression:
    return scaled_erfc(minimum(scale, _MOST) / 2)


def _wide_bound(x: Expression, scale: Expression) -> Expression:
    """Return the mean times erfc(scale / 2)."""
    return exp_of_rounded(x + scale * (scale / 4)) * _tail(scale)


def _wide_rest(x: Expression, t: Expression, scale: Expression) -> Expression:
    """Return the mean times 2 Phi(z - scale)."""
    z = _units(x, t, scale)
    below = t * (exp_product(-z, z / 2) * scaled_erfc(maximum(scale - z, 0) * _ROOT_HALF))
    beyond = 1 + erf(maximum(z - scale, 0) * _ROOT_HALF)
    return where(z < scale, below, exp_of_rounded(x + scale * (scale / 2)) * beyond)


def _narrow(x: Expression, t: Expression, scale: Expression) -> Expression:
    """Return the score by what it is at the median, and an integral from there."""
    near, z = minimum(scale, _WIDE), _units(x, t, scale, _SURE)
    least = -exp(near * (near / 2)) * _between(0 * near, near)
    grown = near * z * average(lambda share: exp(near * z * share) * erf(z * share * _ROOT_HALF))
    beyond = (log(t) - x) - near * z
    edge = exp(x + near * z)
    above = where(beyond < 1, edge * expm1(minimum(beyond, 1)), t - edge)
    further = where(beyond > 0, above, -edge * expm1(-absolute(beyond)))
    outside = (absolute(z) == _SURE) & (beyond != 0)
    return exp(x) * (least + grown) + where(outside, further, 0)


def _mean(x: Expression, s: Expression) -> Expression:
    return exp(x + s**2 / 2)


@named(
    means=lambda x, t, s: (
        t * (2 * ndtr((log(t) - x) / s) - 1)
        - 2 * _mean(x, s) * (ndtr((log(t) - x) / s - s) - ndtr(-s / sqrt(2)))
    ),
    # Derivatives of the whole, of which most parts cancel.
    slope=lambda x, t, s: (
        log_normal_crps_slope(x, t, s),
        log_normal_crps_target_slope(x, t, s),
        log_normal_crps_scale_slope(x, t, s),
    ),
)
def log_normal_crps(x: Expression, target: Expression, scale: Expression) -> Expression:
    """CRPS of an amount whose logarithm is normal."""
    z = _units(x, target, scale)
    wide = target * erf(z * _ROOT_HALF) + (_wide_bound(x, scale) - _wide_rest(x, target, scale))
    return where(scale < _WIDE, _narrow(x, target, scale), wide)


@named(
    means=lambda x, t, s: -2 * _mean(x, s) * (ndtr((log(t) - x) / s - s) - ndtr(-s / sqrt(2))),
    # A density of 0 may meet an infinite quotient.
    slope=lambda x, t, s: (
        log_normal_crps_slope(x, t, s) + t * _density(x, t, s),
        -_density(x, t, s),
        log_normal_crps_scale_slope(x, t, s) + t * _density(x, t, s, 1),
    ),
)
def log_normal_crps_slope(x: Expression, target: Expression, scale: Expression) -> Expression:
    """The slope of log_normal_crps in the location."""
    near = minimum(scale, _WIDE)
    narrow = -exp_of_rounded(x + near * (near / 2)) * _between(_units(x, target, scale), near)
    wide = _wide_bound(x, scale) - _wide_rest(x, target, scale)
    return where(scale < _WIDE, narrow, wide)


@named(
    means=lambda x, t, s: 2 * ndtr((log(t) - x) / s) - 1,
    # As that of the slope in the location.
    slope=lambda x, t, s: (-_density(x, t, s), _density(x, t, s) / t, -_density(x, t, s, 1)),
)
def log_normal_crps_target_slope(
    x: Expression, target: Expression, scale: Expression
) -> Expression:
    """The slope of log_normal_crps in the target."""
    return erf(_units(x, target, scale) * _ROOT_HALF)


def _scale_curvature(x: Expression, t: Expression, s: Expression) -> Expression:
    """Return the slope in the scale of the slope in the scale, of which no part is infinite."""
    near, z = minimum(s, _WIDE), _units(x, t, s)
    density = t * (_density(x, t, s, 2) + 2 * normal_density(z) * (z + s))
    mean, fade = exp_of_rounded(x + near * (near / 2)), _BY_ROOT_PI * exp(-near * (near / 4))
    narrow = mean * ((1 + near * near) * _between(z, near) + 1.5 * near * fade)
    edge, tail, rest = exp(x + s * (s / 4)), _tail(s), _wide_rest(x, t, s)
    wide = (rest + s * (s * rest)) - edge * (s * (s * tail - 1.5 * _BY_ROOT_PI) + tail)
    found = density - where(s < _WIDE, narrow, wide)
    return where((s < _WIDE) | (edge < inf), found, edge)


@named(
    means=lambda x, t, s: (
        2 * t * exp(-(((log(t) - x) / s) ** 2) / 2) / sqrt(2 * pi)
        - exp(x + s**2 / 4) / sqrt(pi)
        - 2 * s * _mean(x, s) * (ndtr((log(t) - x) / s - s) - ndtr(-s / sqrt(2)))
    ),
    # As that of the slope in the location.
    slope=lambda x, t, s: (
        log_normal_crps_scale_slope(x, t, s) + t * _density(x, t, s, 1),
        -_density(x, t, s, 1),
        _scale_curvature(x, t, s),
    ),
)
def log_normal_crps_scale_slope(x: Expression, target: Expression, scale: Expression) -> Expression:
    """The slope of log_normal_crps in the scale."""
    density = 2 * target * normal_density(_units(x, target, scale))
    edge = exp_of_rounded(x + scale * (scale / 4))
    near = minimum(scale, _WIDE)
    fade = _BY_ROOT_PI * exp(-near * (near / 4))
    beside = fade + near * _between(_units(x, target, scale), near)
    narrow = density - exp_of_rounded(x + near * (near / 2)) * beside
    wide = (density - scale * _wide_rest(x, target, scale)) + edge * (
        scale * _tail(scale) - _BY_ROOT_PI
    )
    return where(scale < _WIDE, narrow, wide)
