"""Angles that are random: the von Mises distribution, and angles that are multiplied."""

from __future__ import annotations

from math import factorial

from lossary.formula import Expression, constant
from lossary.functions.angles import acos
from lossary.functions.bessel import i0e, i1e
from lossary.functions.coefficients import COEFFICIENTS, polynomial
from lossary.functions.vocabulary import (
    absolute,
    cos,
    exp,
    floor,
    log,
    log1p,
    maximum,
    minimum,
    named,
    pi,
    sign,
    sin,
    where,
)

_LARGE = 8.0
_ROOT_HALF = 0.5**0.5


@named(
    means=lambda k: 1 - i1e(k) / i0e(k),
    # Of the ratio A of both, 1 - A / k - A^2 less 1.
    slope=lambda k: (_spread_slope(k),),
)
def angular_spread(rate: Expression) -> Expression:
    """1 minus the mean cosine of a von Mises angle, for concentrations from 0."""
    small, large = minimum(rate, _LARGE), maximum(rate, _LARGE)
    apart = polynomial(COEFFICIENTS["bessel difference"], small / 4 - 1) / (1 + small)
    far = polynomial(COEFFICIENTS["angular spread"], 16 / large - 1) / large
    return where(rate < _LARGE, apart / i0e(small), far)


def _spread_slope(k: Expression) -> Expression:
    spread = angular_spread(k)
    mean = 1 - spread
    return where(k < 1e-8, -0.5, mean / maximum(k, 1e-8) - spread * (1 + mean))


@named(
    means=lambda x, y, k: 1 - cos(x - y) - angular_spread(k),
)
def von_mises_concentration_slope(x: Expression, y: Expression, k: Expression) -> Expression:
    """The slope of von_mises_nll in the concentration."""
    half = sin((x - y) / 2)
    return 2 * half * half - angular_spread(k)


@named(
    means=lambda x, y, k: k * (1 - cos(x - y)) + log(2 * pi * i0e(k)),
    # In the half angle, as the value.
    slope=lambda x, y, k: (
        k * sin(x - y), -k * sin(x - y), von_mises_concentration_slope(x, y, k),
    ),
)  # fmt: skip
def von_mises_nll(x: Expression, y: Expression, k: Expression) -> Expression:
    """The likelihood of an angle around a direction, by its concentration."""
    half = sin((x - y) / 2)
    return 2 * k * half * half + log(2 * pi * i0e(k))


def _turns(theta: Expression) -> Expression:
    return floor(4 * theta / pi)


@named(
    means=lambda x: cos(pi * _turns(acos(x))) * cos(4 * acos(x)) - 2 * _turns(acos(x)),
    # A polynomial with its zeros in factors; it has no angle, whose slope is endless at 1.
    slope=lambda x: (16 * absolute(x * (2 * (x - _ROOT_HALF) * (x + _ROOT_HALF))),),
)
def fourfold_angle(x: Expression) -> Expression:
    """The cosine of four times an angle, continued so that it falls all the way to half a turn."""
    square = x * x
    cosine = 8 * square * (square - 1) + 1
    beyond = where(x > -_ROOT_HALF, cosine - 4, -cosine - 6)
    return where(x > _ROOT_HALF, cosine, where(x > 0, -cosine - 2, beyond))


# The series of sinh(x) / x - 1 over x^2, and how far x / 3, / 5, / 7 ... of Lambert's fraction go.
_SINH_OVER = [1 / factorial(2 * k + 3) for k in range(12)]
_LAMBERT = range(27, 3, -2)


def _langevin_over(x: Expression) -> Expression:
    """Return Langevin's function over x, for |x| up to 2: Lambert's continued fraction."""
    found = constant(29)
    for odd in _LAMBERT:
        found = odd + x * x / found
    return 1 / (3 + x * x / found)


def _near(x: Expression) -> Expression:
    return maximum(minimum(x, 2), -2)


def _langevin_slope(x: Expression) -> Expression:
    over, decay = _langevin_over(_near(x)), exp(-2 * absolute(x))
    close = 1 - _near(x) * over * (_near(x) * over) - 2 * over
    rest = where(absolute(x) < 2, 1, 1 - decay)
    return where(absolute(x) < 2, close, 1 / x / x - 4 * decay / (rest * rest))


@named(
    means=lambda x: where(x == 0, 0, (exp(x) + exp(-x)) / (exp(x) - exp(-x)) - 1 / x),
    # Both parts are infinite at 0.
    slope=lambda x: (_langevin_slope(x),),
)
def langevin(x: Expression) -> Expression:
    """coth(x) - 1 / x: the mean cosine of directions on a sphere that are drawn to one of them."""
    decay = exp(-2 * absolute(x))
    far = (1 + decay) / where(absolute(x) < 2, 1, 1 - decay) - 1 / absolute(x)
    return where(absolute(x) < 2, x * _langevin_over(_near(x)), sign(x) * far)


@named(
    means=lambda x: where(x == 0, 0, log((exp(x) - exp(-x)) / (2 * x))),
    # As above.
    slope=lambda x: (langevin(x),),
)
def log_sinh_over(x: Expression) -> Expression:
    """log(sinh(x) / x), which constants of densities on a sphere hold."""
    size, low = absolute(x), _near(x)
    near = log1p(low * low * polynomial(_SINH_OVER, low * low))
    return where(size < 2, near, size - log(2 * size) + log1p(-exp(-2 * size)))
