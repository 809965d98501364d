"""Continuous ranked probability scores that the incomplete gamma function is part of."""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions.bessel import i0e, i1e
from lossary.functions.coefficients import polynomial
from lossary.functions.gamma_function import lgamma
from lossary.functions.incomplete_gamma import (
    SHAPE,
    gamma_density,
    gammainc,
    gammaincc,
    power_over_gamma,
)
from lossary.functions.likelihoods import student_t_constant
from lossary.functions.vocabulary import exp, log, minimum, named, pi, sqrt, weighted, where

_MOST = 1e300


def _rising(numerator: float, denominator: int) -> list[float]:
    """Return the series of (1 - 1F1(numerator; denominator; -x)) / x, enough up to x = 1."""
    found, term = [], 1.0
    for k in range(20):
        term = term * (numerator + k) / (denominator + k) / (k + 1)
        found.append(term * (-1) ** k)
    return found


# Half the mean distance of two counts, over the rate, is 1F1(1/2; 2; -4 rate), and its slope is
# 1F1(1/2; 1; -4 rate) (Kummer's transformation of the Bessel functions).
_NOT_APART, _NOT_APART_SLOPE = _rising(0.5, 2), _rising(0.5, 1)


def _missing(series: list[float], rate: Expression) -> Expression:
    small = minimum(4 * rate, 1)
    return small * polynomial(series, small)


def _mass(rate: Expression, y: Expression) -> Expression:
    return exp(weighted(y, log(rate)) - rate - lgamma(y + 1))


def _poisson_crps_meaning(rate: Expression, y: Expression) -> Expression:
    apart = rate * (i0e(2 * rate) + i1e(2 * rate))
    return (y - rate) * (2 * gammaincc(y + 1, rate) - 1) + 2 * rate * _mass(rate, y) - apart


@named(
    means=_poisson_crps_meaning,
    # A derivative of the whole, of which most parts cancel.
    slope=lambda rate, y: (poisson_crps_slope(rate, y), SHAPE),
)
def poisson_crps(rate: Expression, count: Expression) -> Expression:
    """CRPS of a Poisson distribution, for counts that are whole numbers from 0."""
    close = (count == 0) & (rate < 0.25)
    apart = rate * (i0e(2 * rate) + i1e(2 * rate))
    beyond = (count - rate) * (1 - 2 * gammainc(count + 1, rate))
    whole = beyond + 2 * (power_over_gamma(count + 1, rate)) - apart
    return where(close, rate * _missing(_NOT_APART, rate), whole)


@named(
    means=lambda rate, y: 2 * gammainc(y + 1, rate) - 1 + 2 * _mass(rate, y) - i0e(2 * rate),
    # The probability of the count before, twice, and how fast two counts drift apart.
    slope=lambda rate, y: (
        2 * where(y == 0, 0, gamma_density(where(y == 0, 1, y), rate))
        + 2 * (i0e(2 * rate) - i1e(2 * rate)),
        SHAPE,
    ),
)
def poisson_crps_slope(rate: Expression, count: Expression) -> Expression:
    """The slope of poisson_crps in the rate."""
    close = (count == 0) & (rate < 0.25)
    beyond = 2 * gammainc(count + 1, rate) - 1
    whole = beyond + (2 * gamma_density(count + 1, rate) - i0e(2 * rate))
    return where(close, _missing(_NOT_APART_SLOPE, rate), whole)


def _apart(shape: Expression) -> Expression:
    """Return 1 / B(1/2, shape), half the mean distance of two numbers of rate 1."""
    return sqrt(2 * shape) * exp(-student_t_constant(2 * shape))


def _apart_meaning(shape: Expression) -> Expression:
    return exp(lgamma(shape + 1 / 2) - lgamma(shape)) / sqrt(pi)


def _means(rate: Expression, y: Expression) -> Expression:
    return minimum(rate * y, _MOST)


@named(
    means=lambda rate, y, a: (
        y * (2 * gammainc(a, rate * y) - 1)
        - a / rate * (2 * gammainc(a + 1, rate * y) - 1)
        - _apart_meaning(a) / rate
    ),
    # Derivatives of the whole, of which most parts cancel.
    slope=lambda rate, y, a: (
        gamma_crps_rate_slope(rate, y, a),
        2 * gammainc(a, _means(rate, y)) - 1,
        SHAPE,
    ),
)
def gamma_crps(rate: Expression, target: Expression, shape: Expression) -> Expression:
    """CRPS of a gamma distribution by its rate."""
    u = _means(rate, target)
    beyond = (u - shape) * (2 * gammainc(shape, u) - 1)
    near = (beyond + (2 * power_over_gamma(shape, u) - _apart(shape))) / rate
    return where(u < _MOST, near, target - (shape + _apart(shape)) / rate)


@named(
    means=lambda rate, y, a: (
        (a * (2 * gammainc(a + 1, rate * y) - 1) + _apart_meaning(a)) / rate**2
    ),
    # A density of 0 may meet an infinite product.
    slope=lambda rate, y, a: (_rate_curvature(rate, y, a), _rate_target_slope(rate, y, a), SHAPE),
)
def gamma_crps_rate_slope(rate: Expression, target: Expression, shape: Expression) -> Expression:
    """The slope of gamma_crps in the rate."""
    return _height(_means(rate, target), shape) / rate / rate


def _height(u: Expression, shape: Expression) -> Expression:
    lower = shape * (2 * gammainc(shape, u) - 1) - 2 * power_over_gamma(shape, u)
    return lower + _apart(shape)


def _rate_curvature(rate: Expression, y: Expression, a: Expression) -> Expression:
    u = _means(rate, y)
    return 2 * (u * power_over_gamma(a, u) - _height(u, a)) / rate / rate / rate


def _rate_target_slope(rate: Expression, y: Expression, a: Expression) -> Expression:
    u = _means(rate, y)
    return 2 * (power_over_gamma(a, u)) / rate
