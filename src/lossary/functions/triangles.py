"""How far a point lies from the way between two others, and how that changes."""

from __future__ import annotations

from math import inf

from lossary.formula import Expression, constant
from lossary.functions.vectors import cosine, cosine_gap, norm, unit, unit_rejection
from lossary.functions.vocabulary import Jacobian, absolute, maximum, named, peak, total, where


def _safe(*points: Expression) -> Expression:
    """Return what points are divided by, so that neither differences nor lengths overflow."""
    largest: Expression = constant(0)
    for point in points:
        largest = maximum(peak(absolute(point)), largest)
    return where(16 * largest < inf, 1, 16)


def _unit_difference(x: Expression, y: Expression, apart: Expression) -> Expression:
    """Return unit(x) - unit(y), where ``apart`` is x less y: of small angles what is left over."""
    length, less = norm(x), norm(apart)
    shorter = where(less < length, apart, x)  # both lie as far from the line of y
    share = where(less < length, less / where(length > 0, length, 1), 1)
    sine, similarity = share * unit_rejection(shorter, y), cosine(x, y)
    near = sine - total(sine * sine) / (1 + similarity) * unit(y)
    return where(similarity > 0, near, unit(x) - unit(y))


def _length(x: Expression) -> Expression:
    """Return what a direction's slope is divided by: none where 1 over a length overflows."""
    return where(norm(x) > 2.0**-1000, norm(x), inf)


def _direction_slope(x: Expression, sign: float = 1.0) -> Jacobian:
    return Jacobian(constant(sign), ((-sign * unit(x), unit(x)),), over=(_length(x),))


def _direction_slopes(x: Expression, y: Expression, sign: float) -> Jacobian:
    """Return the slope of unit(x) + sign unit(y) in what both hold."""
    near, far = _length(x), _length(y)
    columns = ((-unit(x) / near, unit(x)), (-sign * unit(y) / far, unit(y)))
    return Jacobian(1 / near + sign / far, columns)


@named(
    means=lambda x, y, z: unit(x - y) - unit(x - z),
    # 1 over a tiny length overflows, and two of them cancel.
    slope=lambda x, y, z: (
        _direction_slopes(x - y, x - z, -1.0),
        _direction_slope(x - y, -1.0),
        _direction_slope(x - z),
    ),
    shape="class",
)
def turn(x: Expression, y: Expression, z: Expression) -> Expression:
    """The direction from y to x less that from z to x: one over the other, if y is near z."""
    scale = _safe(x, y, z)
    x, y, z = x / scale, y / scale, z / scale
    return _unit_difference(x - y, x - z, z - y)


@named(
    means=lambda x, y, z: unit(x - y) + unit(x - z),
    # As above.
    slope=lambda x, y, z: (
        _direction_slopes(x - y, x - z, 1.0),
        _direction_slope(x - y, -1.0),
        _direction_slope(x - z, -1.0),
    ),
    shape="class",
)
def bisector(x: Expression, y: Expression, z: Expression) -> Expression:
    """The directions from y and from z to x, which cancel if x lies between."""
    scale = _safe(x, y, z)
    x, y, z = x / scale, y / scale, z / scale
    return _unit_difference(x - y, z - x, x - y)


@named(
    means=lambda x, y, z: (norm(x - z) + norm(y - z) - norm(x - y)) / 2,
    # Directions that may cancel.
    slope=lambda x, y, z: (turn(x, z, y) / 2, turn(y, z, x) / 2, bisector(z, x, y) / 2),
    shape="row",
)
def gromov_product(x: Expression, y: Expression, z: Expression) -> Expression:
    """Half of what the way from x to y by z is longer: a b (1 + cos) / (a + b + c), of z's angle.

    By the law of cosines, as a^2 + b^2 - c^2 = 2 a b cos(angle), with which no length cancels.
    """
    scale = _safe(x, y, z)
    x, y, z = x / scale, y / scale, z / scale
    near, far = norm(x - z), norm(y - z)
    around = near + far + norm(x - y)
    share = far / where(around > 0, around, 1)
    return near * share * cosine_gap(x - z, z - y) * scale
