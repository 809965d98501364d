"""Angles that are random: the von Mises distribution, and angles that are multiplied."""

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions.angles import acos
from lossary.functions.bessel import i0e, i1e
from lossary.functions.coefficients import COEFFICIENTS, polynomial
from lossary.functions.vocabulary import (
    absolute,
    cos,
    floor,
    log,
    maximum,
    minimum,
    named,
    pi,
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
