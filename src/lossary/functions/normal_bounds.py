"""The probability of a normal number between two bounds, which may be all but equal or far out.

With z for the bound that is nearer to the middle and w for how far the bounds are apart, both in
units of the scale, it is the density at z times the integral of exp(-|z| s - s^2 / 2) from 0 to w
where both lie on one side; where they lie on two sides the error function adds what they hold.
"""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from math import inf
from math import log as number_log
from math import pi as number_pi
from typing import NamedTuple

from lossary.formula import Expression, constant
from lossary.functions.carried import exp_of_rounded, made_good
from lossary.functions.compensated import sum_of_three
from lossary.functions.error_function import erf, ndtr, normal_density
from lossary.functions.quadrature import NATS, integral, root
from lossary.functions.vocabulary import (
    absolute,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    named,
    pi,
    sqrt,
    weighted,
    where,
)

_ROOT_HALF, _HALF_LOG_2_PI = 0.5**0.5, number_log(2 * number_pi) / 2
_ROOT_HALF_PI = (number_pi / 2) ** 0.5
_STEEP = 1e15  # beside s times this a square of s is nothing
_MOST = 1e300  # an infinite number has no product with a length of 0
_FAR = 40.0  # beyond it erf is 1 and a density over its probability is 0 beside another


class _Place(NamedTuple):
    """Where two bounds lie, in units of the scale."""

    low: Expression
    high: Expression
    near: Expression
    """The distance of the nearer bound from the middle."""
    width: Expression
    middle: Expression
    """The sum of both."""
    apart: Expression
    """Whether the bounds lie on two sides of the middle."""


def _size(x: Expression) -> Expression:
    """Return the absolute value, through which roundings can be followed."""
    return where(x < 0, -x, x)


def _place(x: Expression, first: Expression, second: Expression, scale: Expression) -> _Place:
    low, high = (minimum(first, second) - x) / scale, (maximum(first, second) - x) / scale
    apart = where(first < second, second - first, first - second)
    width = where(first == second, 0, apart) / scale
    near = where(absolute(low) < absolute(high), _size(low), _size(high))
    exact = sum_of_three(first, second, -2 * x) / scale
    middle = where(absolute(exact) < inf, exact, low + high)
    return _Place(low, high, near, width, middle, (low < 0) & (high > 0))


def _integral(place: _Place, power: int = 0) -> tuple[Expression, Expression]:
    """Return the integral between two bounds on one side, and how far it went."""
    near = where(place.apart, 0, minimum(place.near, _MOST))
    length = minimum(place.width, root(constant(0.5), near, NATS))
    found = integral(lambda s: (near + s / 2) * s, length, power)
    if power == 0:  # far out it is that of an exponential
        steep = -expm1(-place.width * near) / maximum(near, _STEEP)
        found = where(near > _STEEP, steep, found)
    return found, length


def _beyond(z: Expression) -> Expression:
    """Return what lies beyond a bound, whose rounding its density amplifies."""
    whole, rest = made_good(where(z < _FAR, z, _FAR))
    return ndtr(-whole) - normal_density(whole) * rest


def _held(place: _Place) -> tuple[Expression, Expression]:
    """Return what two bounds hold and leave out where they lie on two sides."""
    low, high = minimum(-place.low, _FAR), minimum(place.high, _FAR)
    held = (erf(low * _ROOT_HALF) + erf(high * _ROOT_HALF)) / 2
    return held, _beyond(-place.low) + _beyond(place.high)


def _over_density(place: _Place) -> Expression:
    """Return the probability over the density at the nearer bound."""
    near = where(place.near < _FAR, place.near, _FAR)
    both = _held(place)[0] * exp_of_rounded(near * near / 2) * (2 * _ROOT_HALF_PI)
    return where(place.apart, both, _integral(place)[0])


def _share(place: _Place, own: Expression, above: Expression) -> Expression:
    """Return the density at a bound, which may be the one above, over the probability."""
    nearer = where(above, place.middle <= 0, place.middle >= 0)
    fall = exp_of_rounded(-(place.width * (_size(place.middle) / 2)))
    return where(absolute(own) == inf, 0, where(nearer, 1, fall) / _over_density(place))


def _mass(x: Expression, first: Expression, second: Expression, scale: Expression) -> Expression:
    """Return the probability in words: a difference on the side where both have less."""
    turn = where(first + second > 2 * x, -1, 1) / scale
    return absolute(ndtr(turn * (second - x)) - ndtr(turn * (first - x)))


def _sign(own: Expression, other: Expression) -> Expression:
    return where(own < other, -1, 1)


def _bent(z: Expression, density: Expression) -> Expression:
    """Return z times a density, which is 0 at an infinite bound."""
    return where(absolute(z) == inf, 0, weighted(z, density))


class _Densities(NamedTuple):
    """At the lower and the upper bound: where they lie, and the densities over the probability."""

    low: Expression
    high: Expression
    below: Expression
    above: Expression

    @property
    def bent(self) -> Expression:
        return _bent(self.high, self.above) - _bent(self.low, self.below)

    @property
    def squared(self) -> Expression:
        return _bent(self.high, _bent(self.high, self.above)) - _bent(
            self.low, _bent(self.low, self.below)
        )


def _densities(x: Expression, u: Expression, v: Expression, s: Expression) -> _Densities:
    low, high = minimum(u, v), maximum(u, v)
    return _Densities(
        (low - x) / s,
        (high - x) / s,
        normal_bound_density(x, low, high, s),
        normal_bound_density(x, high, low, s),
    )


def _density_slopes(
    x: Expression, own: Expression, other: Expression, s: Expression
) -> tuple[Expression, ...]:
    at, z, sign = _densities(x, own, other, s), (own - x) / s, _sign(own, other)
    density, beside = (
        normal_bound_density(x, own, other, s),
        nearer_normal_bound(x, own, other, s) * s,
    )
    moved = _bent(z, density)
    return (
        where(absolute(z) == inf, 0, weighted(z + beside, density)) / s,
        where(absolute(z) == inf, 0, -density * (z + sign * density)) / s,
        sign * density * normal_bound_density(x, other, own, s) / s,
        (_bent(z, moved) + density * at.bent) / s,
    )


@named(
    means=lambda x, own, other, s: (
        exp(-(((own - x) / s) ** 2) / 2) / sqrt(2 * pi) / _mass(x, own, other, s)
    ),
    # An infinite bound has a density of 0, which no infinite number may meet.
    slope=_density_slopes,
)
def normal_bound_density(
    x: Expression, first: Expression, second: Expression, scale: Expression
) -> Expression:
    """Density at the first bound, in units of the scale, over the probability between both."""
    return _share(_place(x, first, second, scale), (first - x) / scale, first >= second)


def _curvature(x: Expression, u: Expression, v: Expression, s: Expression) -> Expression:
    """Return 1 less the variance of a normal number between the bounds, in units of the scale."""
    place, at = _place(x, u, v, s), _densities(x, u, v, s)
    mass, length = _integral(place)
    first, second = (_integral(place, power)[0] / mass for power in (1, 2))
    beside = nearer_normal_bound(x, u, v, s) * s
    one_side = 1 - (second - first * first) * length * length
    found = where(place.apart, at.bent + beside * beside, one_side)
    return where(length > 0, found, 1)


def _nearer_slopes(
    x: Expression, u: Expression, v: Expression, s: Expression
) -> tuple[Expression, ...]:
    at, beside = _densities(x, u, v, s), nearer_normal_bound(x, u, v, s) * s

    def by_bound(own: Expression, other: Expression) -> Expression:
        density = normal_bound_density(x, own, other, s)
        z = (own - x) / s
        moved = where(absolute(z) == inf, 0, weighted(z + beside, density))
        return -_sign(own, other) * moved / s / s

    by_scale = (at.squared + beside * at.bent - beside) / s / s
    return _curvature(x, u, v, s) / s / s, by_bound(u, v), by_bound(v, u), by_scale


@named(
    means=lambda x, u, v, s: (
        (exp(-(((maximum(u, v) - x) / s) ** 2) / 2) - exp(-(((minimum(u, v) - x) / s) ** 2) / 2))
        / sqrt(2 * pi)
        / _mass(x, u, v, s)
        / s
    ),
    # Of densities over the probability, of which none cancels the other.
    slope=_nearer_slopes,
)
def nearer_normal_bound(
    x: Expression, low: Expression, high: Expression, scale: Expression
) -> Expression:
    """The slope of negative_log_between_normal in x: which of both bounds is nearer."""
    place = _place(x, low, high, scale)
    size = -expm1(-place.width * (absolute(place.middle) / 2)) / _over_density(place)
    found = where(place.width > 0, size, place.near)
    return where(place.near == inf, 0, where(place.middle < 0, found, -found)) / scale


@named(
    told=True,
    means=lambda x, u, v, s: -log(_mass(x, u, v, s)),
    # As that of nearer_normal_bound.
    slope=lambda x, u, v, s: (
        nearer_normal_bound(x, u, v, s),
        -_sign(u, v) * normal_bound_density(x, u, v, s) / s,
        -_sign(v, u) * normal_bound_density(x, v, u, s) / s,
        _densities(x, u, v, s).bent / s,
    ),
)
def negative_log_between_normal(
    x: Expression, low: Expression, high: Expression, scale: Expression
) -> Expression:
    """The negative log-probability that a normal number lies between two bounds."""
    place = _place(x, low, high, scale)
    held, missed = _held(place)
    apart = where(missed < 0.5, -log1p(-missed), -log(held))
    one_side = place.near * (place.near / 2) + (_HALF_LOG_2_PI - log(_integral(place)[0]))
    return where(place.apart, apart, one_side)
