"""The error function, and the normal distribution: its tails, their logarithms and their hazard."""

from __future__ import annotations

from math import factorial
from math import log as number_log
from math import pi as number_pi

from lossary.formula import Expression
from lossary.functions.coefficients import COEFFICIENTS, polynomial
from lossary.functions.compensated import exp_product
from lossary.functions.vocabulary import (
    absolute,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    named,
    pi,
    sqrt,
    where,
)

_TWO_BY_ROOT_PI = 2 / number_pi**0.5
_ROOT_HALF = 0.5**0.5
_LOG_2 = number_log(2)
_HIGHEST_DENSITY = 1 / (2 * number_pi) ** 0.5

# erf(x) / x = 2 / sqrt(pi) sum of (-x^2)^k / (k! (2 k + 1)), enough for |x| <= 1; the first
# coefficient less 1, so that the leading term is exact.
_SERIES = [_TWO_BY_ROOT_PI * (-1) ** k / factorial(k) / (2 * k + 1) for k in range(19)]
_NEAR = [0.1283791670955126, *_SERIES[1:]]


def scaled_erfc(size: Expression) -> Expression:
    """Return exp(x^2) erfc(x) for x from 0."""
    fold = 1 - 6 / (size + 3)
    return polynomial(COEFFICIENTS["scaled erfc"], fold) / (1 + 2 * size)


def _near_zero(x: Expression) -> Expression:
    """Return erf(x) for |x| up to 1."""
    bounded = maximum(minimum(x, 1), -1)
    return bounded + bounded * polynomial(_NEAR, bounded * bounded)


@named(
    # The integrand, its square with the rounding made good.
    slope=lambda x: (_TWO_BY_ROOT_PI * exp_product(-x, x),),
)
def erf(x: Expression) -> Expression:
    """Return 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    size = absolute(x)
    far = 1 - exp(-size * size) * scaled_erfc(size)
    return where(size < 1, _near_zero(x), where(x < 0, -far, far))


@named(
    # As that of erf.
    slope=lambda x: (-_TWO_BY_ROOT_PI * exp_product(-x, x),),
)
def erfc(x: Expression) -> Expression:
    """1 - erf(x), right also where that is tiny."""
    size = absolute(x)
    tail = exp_product(-size, size) * scaled_erfc(size)
    return where(size < 0.5, 1 - _near_zero(x), where(x < 0, 2 - tail, tail))


def _tail(size: Expression) -> Expression:
    """Return the probability of a standard normal number beyond a size."""
    return exp_product(-size / 2, size) * (scaled_erfc(size * _ROOT_HALF) / 2)


def normal_density(x: Expression) -> Expression:
    """Return the density of a standard normal number."""
    return _HIGHEST_DENSITY * exp_product(-x / 2, x)


@named(
    # The density.
    slope=lambda x: (normal_density(x),),
)
def ndtr(x: Expression) -> Expression:
    """Probability that a standard normal number lies below x."""
    size = absolute(x)
    middle = 0.5 + _near_zero(x * _ROOT_HALF) / 2
    return where(size < 0.7, middle, where(x < 0, _tail(size), 1 - _tail(size)))


@named(
    # A quotient of density and probability that does not underflow.
    slope=lambda x: (normal_hazard(-x),),
)
def log_ndtr(x: Expression) -> Expression:
    """Logarithm of ndtr(x), also where that underflows."""
    size = absolute(x)
    below = log(scaled_erfc(size * _ROOT_HALF) / 2) - size * (size / 2)
    middle = log1p(_near_zero(x * _ROOT_HALF)) - _LOG_2
    return where(size < 0.7, middle, where(x < 0, below, log1p(-_tail(size))))


@named(
    means=lambda x: exp(-(x**2) / 2) / sqrt(2 * pi) / ndtr(-x),
    # The quotient does not underflow, and its excess over x does not cancel.
    slope=lambda x: (normal_hazard(x) * hazard_excess(x),),
)
def normal_hazard(x: Expression) -> Expression:
    """Density of a standard normal number at x over the probability of lying beyond it."""
    size = absolute(x)
    above = (2 * _HIGHEST_DENSITY) / scaled_erfc(size * _ROOT_HALF)
    return where(x < 0, normal_density(x) / (1 - _tail(size)), above)


@named(
    means=lambda x: normal_hazard(x) - x,
    # Far out, where a product near 1 loses 1, by its series.
    slope=lambda x: (_excess_slope(x),),
)
def hazard_excess(x: Expression) -> Expression:
    """normal_hazard(x) - x, which far out is 1 / x."""
    size = absolute(x)
    fold = 1 - 8 / (size + 4)
    above = polynomial(COEFFICIENTS["hazard excess"], fold) / (size + 1.25)
    return where(x < 0, normal_hazard(x) + size, above)


def _excess_slope(x: Expression) -> Expression:
    return where(x < 1e4, normal_hazard(x) * hazard_excess(x) - 1, -1 / x / x)
