"""Lengths, angles and overlaps of vectors along the axis."""

from __future__ import annotations

from functools import reduce
from math import inf

from lossary.formula import Expression, constant
from lossary.functions.compensated import product_error, scale_near, sum_error
from lossary.functions.elementwise import log_ratio
from lossary.functions.vocabulary import (
    Jacobian,
    absolute,
    class_count,
    held,
    log,
    maximum,
    minimum,
    named,
    peak,
    sign,
    sqrt,
    total,
    weighted,
    where,
)


def _largest(*rows: Expression) -> Expression:
    return scale_near(reduce(maximum, (peak(absolute(row)) for row in rows)))


def common_scale(*rows: Expression) -> Expression:
    """Return a power of two near the largest entry of rows, a number as derivatives see it."""
    return held(_largest(*rows))


@named(
    means=lambda x: sqrt(total(x**2)),
    shape="row",
)
def norm(x: Expression) -> Expression:
    """Euclidean length; its slope at the zero vector is 0."""
    scale = _largest(x)
    ratio = x / scale
    return where(scale < inf, scale * sqrt(total(ratio * ratio)), inf)


@named(
    means=lambda x: weighted(x, 1 / norm(x)),
    # 0 at the zero vector; what is divided by a length may overflow part by part.
    slope=lambda x: (Jacobian(constant(1), ((-unit(x), unit(x)),), over=(_length(x),)),),
    shape="class",
)
def unit(x: Expression) -> Expression:
    """The vector divided by its length; the zero vector stays zero, infinite entries are alike."""
    ratio = where(absolute(x) < inf, x / _largest(x), sign(x))
    length = sqrt(total(ratio * ratio))
    return ratio / where(length > 0, length, 1)


def _length(x: Expression) -> Expression:
    """Return what makes 0 of all that is divided by the length of the zero vector."""
    return where(norm(x) > 0, norm(x), inf)


def _dot(x: Expression, y: Expression) -> Expression:
    """Inner product whose terms keep their rounding: parts of it may cancel."""
    product = x * y
    return total(product) + total(product_error(x, y, product))


_TWICE = 2.0**-100


@named(
    means=lambda y, x: unit(y) - cosine(x, y) * unit(x),
    shape="class",
)
def unit_rejection(y: Expression, x: Expression) -> Expression:
    """The part of y orthogonal to x, over the length of y: taken twice, which is enough."""
    a, b = x / _largest(x), y / _largest(y)
    square = total(a * a)
    square = where(square > 0, square, 1)
    share = _dot(a, b) / square
    part = share * a
    rest = b - part
    low = sum_error(b, -part, rest) - product_error(share, a, part)
    share_again = (_dot(rest, a) + total(low * a)) / square
    part_again = share_again * a
    last = rest - part_again
    low = low + sum_error(rest, -part_again, last) - product_error(share_again, a, part_again)
    length = sqrt(total(b * b))
    # Twice the digits end here: what is left of parallel vectors is rounding, and truly 0.
    known = absolute(last + low) > _TWICE * absolute(b)
    return where(known, (last + low) / where(length > 0, length, 1), 0)


def _cosine_curvature(x: Expression, y: Expression) -> tuple[Jacobian, Jacobian]:
    # With u, v the unit vectors of x, y, R = v - c u and S = u - c v, the slope R / |x| changes
    # by -(u R' + R u' + c (1 - u u')) / |x|^2 with x, by (1 - u u' - R v') / |x| |y| with y.
    u, v, c, rejected = unit(x), unit(y), cosine(x, y), unit_rejection(y, x)
    return (
        Jacobian(-c, ((c * u - rejected, u), (-u, rejected)), over=(_length(x), _length(x))),
        Jacobian(constant(1), ((-u, u), (-rejected, v)), over=(_length(x), _length(y))),
    )


@named(
    means=lambda x, y: weighted(unit_rejection(y, x), 1 / norm(x)),
    # Parts alone may overflow, where the vectors are tiny.
    slope=_cosine_curvature,
    shape="class",
)
def cosine_slope(x: Expression, y: Expression) -> Expression:
    """The slope of the cosine in x, 0 for the zero vector."""
    return where(norm(x) > 0, unit_rejection(y, x) / norm(x), 0)


@named(
    means=lambda x, y: weighted(total(x * y), 1 / (norm(x) * norm(y))),
    # In terms of what is left: u - c v cancels for parallel vectors.
    slope=lambda x, y: (cosine_slope(x, y), cosine_slope(y, x)),
    shape="row",
)
def cosine(x: Expression, y: Expression) -> Expression:
    """Cosine of the angle, within [-1, 1]; 0 with slope 0 if one vector is zero."""
    a, b = x / _largest(x), y / _largest(y)
    size = sqrt(total(a * a)) * sqrt(total(b * b))
    return maximum(minimum(_dot(a, b) / where(size > 0, size, 1), 1), -1)


def _scaled_length(x: Expression) -> Expression:
    """Return a length in units of its scale; infinite entries are alike."""
    ratio = where(absolute(x) < inf, x / _largest(x), sign(x))
    return sqrt(total(ratio * ratio))


@named(
    means=lambda x, y: weighted(norm(x), 1 / norm(y)),
    # A length may be too large or too small for a number where the ratio is one.
    slope=lambda x, y: (unit(x) / _length(y), -weighted(unit(y), length_ratio(x, y) / _length(y))),
    shape="row",
)
def length_ratio(x: Expression, y: Expression) -> Expression:
    """|x| / |y|, whose squares may under- or overflow; 0 of the zero vector."""
    length = _scaled_length(x)
    ratio = length / where(length == 0, 1, _scaled_length(y))
    return where(length == 0, 0, ratio * (_largest(x) / _largest(y)))


@named(
    means=lambda x, y: weighted(total(x**2), 1 / total(y**2)),
    # As above.
    slope=lambda x, y: (
        2 * weighted(unit(x), length_ratio(x, y) / _length(y)),
        -2 * weighted(unit(y), squared_length_ratio(x, y) / _length(y)),
    ),
    shape="row",
)
def squared_length_ratio(x: Expression, y: Expression) -> Expression:
    """|x|^2 / |y|^2, 0 of the zero vector."""
    return length_ratio(x, y) * length_ratio(x, y)


@named(
    means=lambda x, y: log(length_ratio(x, y)),
    # The zero vector has no direction to grow in.
    slope=lambda x, y: (unit(x) / _length(x), -unit(y) / _length(y)),
    shape="row",
)
def log_length_ratio(x: Expression, y: Expression) -> Expression:
    """log(|x| / |y|), right also where the two are of almost one length."""
    near = log_ratio(norm(x), norm(y))
    ratio = length_ratio(x, y)
    usable = (norm(x) < inf) & (norm(y) < inf) & (ratio > 0)
    return where(usable, near, log(ratio))


@named(
    means=lambda x, s: log(norm(x) / s),
    # As above.
    slope=lambda x, s: (unit(x) / _length(x), -1 / s),
    shape="row",
)
def log_length_over(x: Expression, length: Expression) -> Expression:
    """log(|x| / length), right also where that is almost 1."""
    return log_ratio(norm(x), length)


@named(
    means=lambda x, y: 1 - cosine(x, y),
    shape="row",
)
def cosine_gap(x: Expression, y: Expression) -> Expression:
    """1 - cosine, for small angles as sine^2 / (1 + cosine)."""
    sine, similarity = unit_rejection(y, x), cosine(x, y)
    return where(similarity > 0, total(sine * sine) / (1 + similarity), 1 - similarity)


def _union(x: Expression, y: Expression) -> Expression:
    return total(x**2) + total(y**2) - total(x * y)


def _tanimoto_parts(x: Expression, y: Expression) -> tuple[Expression, ...]:
    scale = _largest(x, y)
    apart = x / scale - y / scale  # the difference itself may overflow
    both = total((x / scale) * (y / scale))
    union = total(apart * apart) + both
    return apart, scale, both, where(union > 0, union, 1)


def _tanimoto_curvature(x: Expression, y: Expression) -> tuple[Jacobian, Jacobian]:
    # With the union U and the gap g: of their slopes 2 x - y and s, on scaled vectors.
    _, scale, _, union = _tanimoto_parts(x, y)
    over = (where(total(absolute(x) + absolute(y)) > 0, union, inf), scale, scale)
    gap, slope, other = tanimoto_gap(x, y), tanimoto_slope(x, y), tanimoto_slope(y, x)
    slope, other = scale * slope, scale * other
    falls, rises = 2 * (x / scale) - y / scale, 2 * (y / scale) - x / scale
    return (
        Jacobian(2 - 2 * gap, ((-falls, slope), (-slope, falls)), over=over),
        Jacobian(gap - 2, ((-falls, other), (-slope, rises)), over=over),
    )


@named(
    means=lambda x, y: weighted(2 * (x - y) - tanimoto_gap(x, y) * (2 * x - y), 1 / _union(x, y)),
    # 0 at two zero vectors.
    slope=_tanimoto_curvature,
    shape="class",
)
def tanimoto_slope(x: Expression, y: Expression) -> Expression:
    """The slope of tanimoto_gap in x, on vectors scaled so that no square overflows."""
    apart, scale, both, union = _tanimoto_parts(x, y)
    # Two forms of one polynomial: neither cancels on its side.
    together = x / scale + y / scale
    alike = 2 * both * apart - total(apart * apart) * (y / scale)
    opposed = 2 * both * together - total(together * together) * (y / scale)
    return where(both < 0, opposed, alike) / (union * union) / scale


@named(
    means=lambda x, y: weighted(total((x - y) ** 2), 1 / _union(x, y)),
    # A quotient over the scaled union, in which no square overflows.
    slope=lambda x, y: (tanimoto_slope(x, y), tanimoto_slope(y, x)),
    shape="row",
)
def tanimoto_gap(x: Expression, y: Expression) -> Expression:
    """Squared distance over (squared distance + inner product); 0 for two zero vectors."""
    apart, _, _, union = _tanimoto_parts(x, y)
    return total(apart * apart) / union


@named(
    means=lambda a, p, n: norm(a - p) - norm(a - n),
    shape="row",
)
def distance_difference(anchor: Expression, near: Expression, far: Expression) -> Expression:
    """|a - p| - |a - n| = (n - p) . (a - p + a - n) / (|a - p| + |a - n|): long ones may cancel."""
    largest = maximum(peak(absolute(anchor)), maximum(peak(absolute(near)), peak(absolute(far))))
    scale = where(16 * largest < inf, 1, 16)  # so that no sum overflows
    anchor, near, far = anchor / scale, near / scale, far / scale
    first, second = anchor - near, anchor - far
    lengths = norm(first) + norm(second)
    apart = (far - near) * ((first + second) / where(lengths > 0, lengths, 1))
    return total(apart) * scale


@named(
    means=lambda x: x - total(x) / class_count(),
    # The division is one of a number, not of each entry.
    slope=lambda x: (Jacobian(constant(1), ((-1 / class_count(), constant(1)),)),),
    shape="class",
)
def centred(x: Expression) -> Expression:
    """The vector without its mean, which is taken out twice: once it is rounded.

    A sum of parts of the vector does not overflow; what is left may, and has no mean then.
    """
    rest = x - total(x * (1 / class_count()))
    left = total(rest)
    return rest - where(absolute(left) < inf, left, 0) / class_count()


@named(
    means=lambda x: total(centred(x) ** 2),
    # What the mean's own slope adds is 0.
    slope=lambda x: (2 * centred(x),),
    shape="row",
)
def squared_deviations(x: Expression) -> Expression:
    """Sum of the squares of what a vector has above its mean."""
    apart = centred(x)
    return total(apart * apart)
