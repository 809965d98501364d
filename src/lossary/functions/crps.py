"""Continuous ranked probability scores that exponentials and the error function are part of."""

from __future__ import annotations

from math import factorial, log
from math import pi as number_pi

from lossary.formula import Expression
from lossary.functions.coefficients import polynomial
from lossary.functions.compensated import product_error, rounding, sum_error
from lossary.functions.error_function import erf, normal_density
from lossary.functions.gaps import exp_gap
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    maximum,
    minimum,
    named,
    pi,
    sqrt,
    where,
)

_ROOT_HALF, _BY_ROOT_PI = 0.5**0.5, number_pi**-0.5
_TINY = 1e-290
_FAR = 40.0  # standard deviations from which the density of a normal number is 0
_LEAST_NORMAL = 0.23369497725510907  # (sqrt(2) - 1) / sqrt(pi)
# z erf(z / sqrt 2) + 2 (density(z) - density(0)), over z^2, in z^2: its second derivative is twice
# the density.
_NORMAL = [
    (2 / number_pi) ** 0.5 * (-0.5) ** k / factorial(k) / ((2 * k + 1) * (2 * k + 2))
    for k in range(17)
]


_LOG_2, _LOG_2_LOW = log(2), 2.319046813846299e-17


def _units(x: Expression, y: Expression, scale: Expression) -> Expression:
    """Return (x - y) / scale as far as the density of a normal number is not 0."""
    return maximum(minimum((x - y) / scale, _FAR), -_FAR)


def _density(x: Expression, y: Expression, s: Expression, power: int) -> Expression:
    """Return twice the density times a power of z, over the scale."""
    z = _units(x, y, s)
    density = 2 * normal_density(z)
    for _ in range(power):
        density = z * density
    return density / s


@named(
    means=lambda x, y, s: (
        (x - y) * erf((x - y) / s / sqrt(2))
        + s * (2 * exp(-(((x - y) / s) ** 2) / 2) / sqrt(2 * pi) - 1 / sqrt(pi))
    ),
    # Far out a density of 0 meets an infinite quotient.
    slope=lambda x, y, s: (
        normal_crps_slope(x, y, s),
        -normal_crps_slope(x, y, s),
        normal_crps_scale_slope(x, y, s),
    ),
)
def normal_crps(x: Expression, y: Expression, scale: Expression) -> Expression:
    """Scale times (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)) for z = (x - y) / scale."""
    z = absolute(_units(x, y, scale))
    small = minimum(z, 1)
    near = _LEAST_NORMAL + small * small * polynomial(_NORMAL, small * small)
    far = absolute(x - y) * erf(z * _ROOT_HALF) + scale * (2 * normal_density(z) - _BY_ROOT_PI)
    return where(z < 1, scale * near, far)


@named(
    means=lambda x, y, s: erf((x - y) / s / sqrt(2)),
)
def normal_crps_slope(x: Expression, y: Expression, scale: Expression) -> Expression:
    """The slope of normal_crps in x."""
    return erf(_units(x, y, scale) * _ROOT_HALF)


def _square_slack(x: Expression, y: Expression, scale: Expression, z: Expression) -> Expression:
    """Return what rounding z = (x - y) / scale and its square have left out of the square."""
    difference, product = x - y, z * scale
    rest = (difference - product) - product_error(z, scale, product)
    left = 2 * z * ((rest + sum_error(x, -y, difference)) / scale)
    exact = (absolute(z) < 2) & (scale > _TINY)
    return where(exact, rounding(left + product_error(z, z, z * z)), 0)


@named(
    means=lambda x, y, s: 2 * exp(-(((x - y) / s) ** 2) / 2) / sqrt(2 * pi) - 1 / sqrt(pi),
    # Far out a density of 0 meets an infinite quotient.
    slope=lambda x, y, s: (-_density(x, y, s, 1), _density(x, y, s, 1), _density(x, y, s, 2)),
)
def normal_crps_scale_slope(x: Expression, y: Expression, scale: Expression) -> Expression:
    """The slope of normal_crps in the scale, as (exp((log(2) - z^2) / 2) - 1) / sqrt(pi)."""
    z = _units(x, y, scale)
    slack = _LOG_2_LOW - _square_slack(x, y, scale, z)
    return _BY_ROOT_PI * expm1(((_LOG_2 - z * z) + slack) / 2)


_LEAST_EXPONENTIAL = 0.19314718055994531  # log 2 - 1/2
# Where the slope in the rate is 0, u with (1 + u) exp(-u) = 3/4, and u / (1 + u).
_ZERO, _ZERO_LOW = 0.9612787631147771, -1.694880361832792e-17
_ZERO_SHARE = 0.4901285738637866
_GONE = 800.0  # exp(-u) is 0 from here, also times a power of u


def _means(rate: Expression, y: Expression) -> Expression:
    """Return how many means of the distribution a number is, as far as it matters."""
    return minimum(rate * y, _GONE)


def _beyond(rate: Expression, y: Expression, place: float, low: float) -> Expression:
    """Return rate y less a place and its low part, with the rounding of the product made good."""
    product = _means(rate, y)
    slack = where(product < 2, rounding(product_error(rate, y, product)), 0)
    return (product - place) + (slack - low)


@named(
    means=lambda r, y: y + 2 * expm1(-r * y) / r + 1 / (2 * r),
    # Right near their zeros; far out an exponential of 0 meets an infinite product.
    slope=lambda r, y: (exponential_crps_rate_slope(r, y), exponential_crps_slope(r, y)),
)
def exponential_crps(rate: Expression, target: Expression) -> Expression:
    """Target - 2 (1 - exp(-rate target)) / rate + 1 / (2 rate), as a sum of what is above 0."""
    near = (_LEAST_EXPONENTIAL + exp_gap(-_beyond(rate, target, _LOG_2, _LOG_2_LOW))) / rate
    return where(rate * target < _FAR, near, target - 1.5 / rate)


@named(
    means=lambda r, y: (3 / 2 - 2 * (1 + r * y) * exp(-r * y)) / r**2,
    # As that of exponential_crps.
    slope=lambda r, y: (_rate_curvature(r, y), 2 * _faded(_means(r, y)) / r),
)
def exponential_crps_rate_slope(rate: Expression, target: Expression) -> Expression:
    """The slope of exponential_crps in the rate."""
    u, d = _means(rate, target), _beyond(rate, target, _ZERO, _ZERO_LOW)
    low, near = minimum(u, 1), minimum(d, 2)
    below = 2 * exp(-low) * exp_gap(low) - 0.5
    around = 1.5 * exp(-near) * (_ZERO_SHARE * near + exp_gap(near))
    beyond = 1.5 - 2 * (exp(-u) + _faded(u))
    return where(d < -0.5, below, where(d < 2, around, beyond)) / rate / rate


def _faded(u: Expression) -> Expression:
    return u * exp(-u)


def _rate_curvature(rate: Expression, y: Expression) -> Expression:
    u = _means(rate, y)
    return (2 * (exp(-u) * (2 + u * (2 + u))) - 3) / rate / rate / rate


@named(
    means=lambda r, y: 1 - 2 * exp(-r * y),
    # As that of exponential_crps.
    slope=lambda r, y: (2 * _faded(_means(r, y)) / r, 2 * r * exp(-_means(r, y))),
)
def exponential_crps_slope(rate: Expression, target: Expression) -> Expression:
    """The slope of exponential_crps in the target, right also near its zero."""
    return -expm1(-_beyond(rate, target, _LOG_2, _LOG_2_LOW))
