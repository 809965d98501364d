"""Two boxes at an angle, as normal distributions: how far apart they are in Bhattacharyya's sense.

A box of sides w and h has the covariance R diag(w^2, h^2) R^T / 12, that of a uniform one. With
c and s the cosine and sine of the angle between two of them, and T the sum of 12 times both,

    det T = (w h)^2 + (u v)^2 + c^2 ((w v)^2 + (h u)^2) + s^2 ((w u)^2 + (h v)^2)

of which 4 w h u v is the least value, and the rest three squares, (w h - u v)^2 and its like. So
nothing cancels for boxes that nearly agree. A box counts its sides by their squares: their sign
does not matter. One without area is infinitely far from all but itself.
"""

# A slope may mention its own function, which pyright cannot see through.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import inf
from typing import NamedTuple

from lossary.formula import Expression, constant
from lossary.functions.compensated import product_error, rounding, scale_near, sum_error
from lossary.functions.vocabulary import (
    absolute,
    cos,
    exp,
    expm1,
    held,
    is_class,
    log,
    log1p,
    maximum,
    minimum,
    named,
    pick,
    sign,
    sin,
    sqrt,
    weighted,
    where,
)

_ZERO = constant(0)
_FAR = 1e160
_ROOT = 1.3e154  # of the largest number
_TURNS = 8  # an angle between two boxes up to which its sine is taken of the difference itself


def _read(box: Expression) -> tuple[Expression, ...]:
    """Return x, y, width, height and the angle of a box."""
    return tuple(pick(box, place) for place in range(5))


def _equal(box: Expression, other: Expression) -> Expression:
    (x, y, w, h, t), (a, b, u, v, r) = _read(box), _read(other)
    return (x == a) & (y == b) & (w == u) & (h == v) & (t == r)


def _covariance(
    w: Expression, h: Expression, t: Expression
) -> tuple[Expression, Expression, Expression]:
    """Return the variances along x and y, and the covariance, as the paper prints them."""
    a, b = w**2 / 12, h**2 / 12
    along = a * cos(t) ** 2 + b * sin(t) ** 2
    across = a * sin(t) ** 2 + b * cos(t) ** 2
    return along, across, (a - b) * cos(t) * sin(t)


def _shift(box: Expression, other: Expression) -> Expression:
    (x, y, w, h, t), (a, b, u, v, r) = _read(box), _read(other)
    own_along, own_across, own_both = _covariance(w, h, t)
    other_along, other_across, other_both = _covariance(u, v, r)
    along, across, both = own_along + other_along, own_across + other_across, own_both + other_both
    whole = along * across - both**2
    square = along * (y - b) ** 2 + across * (x - a) ** 2 + 2 * both * (a - x) * (y - b)
    return where((w * h == 0) | (u * v == 0), 0, square / whole / 4)


def _shape(box: Expression, other: Expression) -> Expression:
    (_, _, w, h, t), (_, _, u, v, r) = _read(box), _read(other)
    own_along, own_across, own_both = _covariance(w, h, t)
    other_along, other_across, other_both = _covariance(u, v, r)
    along, across, both = own_along + other_along, own_across + other_across, own_both + other_both
    whole = along * across - both**2
    flat = where(_equal(box, other), 0, inf)
    unlike = log(whole / (4 * (absolute(w * h) * absolute(u * v) / 144))) / 2
    return where((w * h == 0) | (u * v == 0), flat, unlike)


class _Side(NamedTuple):
    """One of two boxes: its sides, its direction, and how far the other is along and across it."""

    w: Expression
    h: Expression
    cosine: Expression
    sine: Expression
    along: Expression
    across: Expression


class _Two(NamedTuple):
    """Two boxes in a common unit, which is a power of two and held: it cancels."""

    own: _Side
    other: _Side
    unit: Expression
    cosine: Expression
    sine: Expression

    @property
    def determinant(self) -> Expression:
        """Return what det T is."""
        (w, h, *_), (u, v, *_) = self.own, self.other
        level = (w * v) * (w * v) + (h * u) * (h * u)
        turned = (w * u) * (w * u) + (h * v) * (h * v)
        same = (w * h) * (w * h) + (u * v) * (u * v)
        c, s = self.cosine, self.sine
        return same + (c * c * level + s * s * turned)


def _within(x: Expression, most: float) -> Expression:
    return maximum(minimum(x, most), -most)


def _two(box: Expression, other: Expression) -> _Two:
    (x, y, w, h, t), (a, b, u, v, r) = _read(box), _read(other)
    w, h, u, v = (absolute(side) for side in (w, h, u, v))
    unit = held(scale_near(reduce(maximum, (w, h, u, v))))
    # Up to where its square overflows, so that it is no infinity yet.
    right, up = (2 * _within((one / 2 - two / 2) / unit, _FAR) for one, two in ((x, a), (y, b)))

    def side(width: Expression, height: Expression, angle: Expression) -> _Side:
        c, s = cos(angle), sin(angle)
        return _Side(width / unit, height / unit, c, s, right * c + up * s, up * c - right * s)

    own, beside = side(w, h, t), side(u, v, r)
    return _Two(own, beside, unit, *_between(t, r, own, beside))


def _between(
    t: Expression, r: Expression, own: _Side, other: _Side
) -> tuple[Expression, Expression]:
    """Return cosine and sine of the angle from the other box to the own one."""
    turn = t - r
    lost = rounding(held(sum_error(t, -r, turn)))
    turn, near = where(absolute(turn) < _TURNS, turn, 0), absolute(turn) < _TURNS
    cosine = own.cosine * other.cosine + own.sine * other.sine
    sine = own.sine * other.cosine - own.cosine * other.sine
    return (
        where(near, cos(turn) - lost * sin(turn), cosine),
        where(near, sin(turn) + lost * cos(turn), sine),
    )


def _cross(a: Expression, b: Expression, c: Expression, d: Expression) -> Expression:
    """Return a b - c d, of which the roundings of both products are made good."""
    first, second = a * b, c * d
    errors = product_error(a, b, first) - product_error(c, d, second)
    return (first - second) + rounding(held(errors))


def _crosses(two: _Two) -> tuple[Expression, Expression, Expression]:
    """Return w h - u v, w v - h u and w u - h v."""
    (w, h, *_), (u, v, *_) = two.own, two.other
    return _cross(w, h, u, v), _cross(w, v, h, u), _cross(w, u, h, v)


def _or_one(x: Expression) -> Expression:
    return where(x > 0, x, 1)


def _flat(two: _Two) -> Expression:
    """Whether a box has no area."""
    return (two.own.w * two.own.h == 0) | (two.other.w * two.other.h == 0)


def _apart(two: _Two) -> tuple[Expression, Expression]:
    """Return T^-1 times the distance, along the own box and across it, up to where it squares."""
    own, beside, c, s = two.own, two.other, two.cosine, two.sine
    w, h, u, v = own.w, own.h, beside.w, beside.h
    whole = _or_one(two.determinant)
    along = h * h * own.along + (v * v * beside.along * c + u * u * beside.across * s)
    across = w * w * own.across + (u * u * beside.across * c - v * v * beside.along * s)
    return _within(along / whole, _ROOT), _within(across / whole, _ROOT)


def _by_entry(
    box: Expression, two: _Two, centre: tuple[Expression, Expression], sides: tuple[Expression, ...]
) -> Expression:
    """Return slopes in the five numbers of a box, of which the first four are per unit."""
    _, _, width, height, _ = _read(box)
    by_width, by_height, by_angle = sides
    by_width, by_height = by_width * sign(width), by_height * sign(height)
    by_length = where(is_class(2), by_width, by_height) / two.unit
    by_length = where(is_class(0), centre[0], where(is_class(1), centre[1], by_length))
    return where(_flat(two), 0, where(is_class(4), by_angle, by_length))


def _shift_slope(box: Expression, other: Expression) -> Expression:
    two = _two(box, other)
    w, h, cosine, sine, *_ = two.own
    along, across = _apart(two)
    right, up = along * cosine - across * sine, along * sine + across * cosine
    by_angle = -6 * ((w - h) * (w + h)) * (along * across)
    sides = (-6 * w * (along * along), -6 * h * (across * across), by_angle)
    return _by_entry(box, two, (6 * right / two.unit, 6 * up / two.unit), sides)


def _shape_slope(box: Expression, other: Expression) -> Expression:
    two = _two(box, other)
    (w, h, *_), (u, v, *_), c, s = two.own, two.other, two.cosine, two.sine
    whole = _or_one(two.determinant)
    same, level, turned = (
        cross * both / (2 * whole)
        for cross, both in zip(
            _crosses(two), (w * h + u * v, w * v + h * u, w * u + h * v), strict=True
        )
    )
    skew = weighted(c * c, level) + weighted(s * s, turned)
    by_angle = (w - h) * (w + h) * ((u - v) * (u + v)) * (s * c) / whole
    sides = ((same + skew) / _or_one(w), (same - skew) / _or_one(h), by_angle)
    return _by_entry(box, two, (_ZERO, _ZERO), sides)


def _of_two(
    means: Callable[..., Expression], slope: Callable[..., Expression]
) -> Callable[[Callable[..., Expression]], Callable[..., Expression]]:
    """Put a function of two boxes into the vocabulary, whose slopes are one the other way round."""
    # By hand: in a unit near the longest side, of sides that nearly agree by what they differ by.
    both = lambda tilted, beside: (slope(tilted, beside), slope(beside, tilted))  # noqa: E731
    return named(means=means, slope=both, shape="row", told=True)


@_of_two(_shift, _shift_slope)
def normal_shift(tilted: Expression, beside: Expression) -> Expression:
    """Squared distance of two centres in units of both boxes: the first part of Bhattacharyya's."""
    two = _two(tilted, beside)
    (w, h, _, _, along, across), (u, v, _, _, behind, aside) = two.own, two.other
    near = (h * along) * (h * along) + (w * across) * (w * across)
    square = near + ((v * behind) * (v * behind) + (u * aside) * (u * aside))
    return where(_flat(two), 0, 3 * (square / _or_one(two.determinant)))


@_of_two(_shape, _shape_slope)
def normal_shape(tilted: Expression, beside: Expression) -> Expression:
    """How unlike the sides and angles of two boxes are: the second part of Bhattacharyya's."""
    two = _two(tilted, beside)
    (w, h, *_), (u, v, *_) = two.own, two.other
    area = _or_one(2 * (sqrt(w * h) * sqrt(u * v)))
    same, level, turned = (cross / area for cross in _crosses(two))
    level, turned = weighted(two.cosine, level), weighted(two.sine, turned)
    unlike = log1p(same * same + (level * level + turned * turned)) / 2
    return where(_flat(two), where(_equal(tilted, beside), 0, inf), unlike)


@named(
    means=lambda b: sqrt(1 - exp(-b)),
    # 0 at 0, where it has a kink, as a length.
    slope=lambda b: (where(b > 0, exp(-b) / (2 * hellinger_of(where(b > 0, b, 1))), 0),),
    zero_wins=True,  # what is too far apart does not move, however fast it goes
)
def hellinger_of(distance: Expression) -> Expression:
    """Hellinger's distance of what has a distance in Bhattacharyya's sense."""
    return sqrt(-expm1(-distance))
