"""Two boxes with corners x1, y1, x2, y2: what they share, and how far apart they are.

Areas are sums of areas, never differences: with w = both + own rest, W = both + other's rest and
their likes along y, the union less the intersection is own rest * h + both * own rest of h + ...
"""

from __future__ import annotations

from lossary.formula import Expression
from lossary.functions.angles import atan
from lossary.functions.compensated import product_error, rounding, scale_near, sum_error
from lossary.functions.spans import (
    End,
    Span,
    by_hull,
    by_side,
    corners,
    ends_of,
    or_one,
    slopes,
    spans_of,
    together,
)
from lossary.functions.vocabulary import (
    exp,
    expm1,
    held,
    is_class,
    log,
    log1p,
    maximum,
    minimum,
    named,
    pi,
    weighted,
    where,
)

# What the words mean.


def _area(box: Expression) -> Expression:
    x1, y1, x2, y2 = corners(box)
    return (x2 - x1) * (y2 - y1)


def _common(box: Expression, other: Expression) -> Expression:
    (x1, y1, x2, y2), (u1, v1, u2, v2) = corners(box), corners(other)
    width = minimum(x2, u2) - maximum(x1, u1)
    return maximum(width, 0) * maximum(minimum(y2, v2) - maximum(y1, v1), 0)


def _union(box: Expression, other: Expression) -> Expression:
    return _area(box) + _area(other) - _common(box, other)


def _enclosing(box: Expression, other: Expression) -> tuple[Expression, Expression]:
    (x1, y1, x2, y2), (u1, v1, u2, v2) = corners(box), corners(other)
    return maximum(x2, u2) - minimum(x1, u1), maximum(y2, v2) - minimum(y1, v1)


def _equal(box: Expression, other: Expression) -> Expression:
    (x1, y1, x2, y2), (u1, v1, u2, v2) = corners(box), corners(other)
    return (x1 == u1) & (y1 == v1) & (x2 == u2) & (y2 == v2)


def _iou(box: Expression, other: Expression) -> Expression:
    union = _union(box, other)
    equal = where(_equal(box, other), 1, 0)
    return where(union > 0, _common(box, other) / union, equal)


def _rest(box: Expression, other: Expression) -> Expression:
    hull_width, hull_height = _enclosing(box, other)
    return weighted(hull_width * hull_height - _union(box, other), 1 / (hull_width * hull_height))


def _shift(box: Expression, other: Expression) -> Expression:
    (x1, y1, x2, y2), (u1, v1, u2, v2) = corners(box), corners(other)
    hull_width, hull_height = _enclosing(box, other)
    square = ((x1 + x2 - u1 - u2) / 2) ** 2 + ((y1 + y2 - v1 - v2) / 2) ** 2
    return weighted(square, 1 / (hull_width**2 + hull_height**2))


def _sides(box: Expression, other: Expression) -> Expression:
    (x1, y1, x2, y2), (u1, v1, u2, v2) = corners(box), corners(other)
    hull_width, hull_height = _enclosing(box, other)
    wider, higher = (x2 - x1) - (u2 - u1), (y2 - y1) - (v2 - v1)
    return weighted(wider**2, 1 / hull_width**2) + weighted(higher**2, 1 / hull_height**2)


def _aspect(box: Expression, other: Expression) -> Expression:
    (x1, y1, x2, y2), (u1, v1, u2, v2) = corners(box), corners(other)
    angle = atan((u2 - u1) / (v2 - v1)) - atan((x2 - x1) / (y2 - y1))
    is_point = ((x1 == x2) & (y1 == y2)) | ((u1 == u2) & (v1 == v2))
    return where(is_point, 0, 4 / pi**2 * angle**2)


# How they are computed.


def _areas(x: Span, y: Span) -> tuple[Expression, Expression, Expression]:
    """Return the intersection, what one box alone covers, and their sum, the union."""
    common = x.both * y.both
    alone = x.alone * y.own + x.both * y.alone
    missed = x.missed * y.other + x.both * y.missed
    rest = alone + missed
    return common, rest, rest + common


def _overlap(x: Span, y: Span) -> Expression:
    return (x.both > 0) & (y.both > 0)


def _gap_along(x: Span, y: Span, end: End) -> Expression:
    common, _, union = _areas(x, y)
    size = or_one(union)
    shrinks = y.both * (x.alone * y.own + x.other * y.other)
    found = where(end.common, shrinks, -common * y.own) / size / size
    return where(_overlap(x, y), found, 0)


def _log_along(x: Span, y: Span, end: End) -> Expression:
    _, _, union = _areas(x, y)
    size = or_one(union)
    shrinks = (x.alone * y.own + x.other * y.other) / size / or_one(x.both)
    return where(_overlap(x, y), where(end.common, -shrinks, y.own / size), 0)


_gap_slopes = slopes(by_side, _gap_along)
_log_slopes = slopes(by_side, _log_along)


@named(
    means=_iou,
    # Areas of other units; 0 where the boxes do not overlap, or have no area.
    slope=lambda box, other: tuple(-slope for slope in _gap_slopes(box, other)),
    shape="row",
    told=True,
)
def box_iou(box: Expression, other: Expression) -> Expression:
    """Intersection over union; of boxes without area 1 if they are equal, else 0."""
    common, _, union = _areas(*by_side(box, other))
    return where(union == 0, where(_equal(box, other), 1, 0), common / or_one(union))


@named(
    means=lambda box, other: 1 - box_iou(box, other),
    # As above.
    slope=_gap_slopes,
    shape="row",
)
def box_iou_gap(box: Expression, other: Expression) -> Expression:
    """1 - IoU by what one box alone covers, so that nearly equal boxes keep their digits."""
    _, rest, union = _areas(*by_side(box, other))
    return where(union == 0, where(_equal(box, other), 0, 1), rest / or_one(union))


@named(
    means=lambda box, other: log(box_iou(box, other)),
    # The intersection cancels in the quotient: 0 where there is none, not 0 / 0.
    slope=_log_slopes,
    shape="row",
)
def log_box_iou(box: Expression, other: Expression) -> Expression:
    """Logarithm of the IoU, by what is missing where that is less than a half."""
    gap = box_iou_gap(box, other)
    return where(gap < 0.5, log1p(-minimum(gap, 0.5)), log(box_iou(box, other)))


def _power_slopes(
    box: Expression, other: Expression, power: Expression
) -> tuple[Expression, Expression, Expression]:
    value = box_iou_power(box, other, power)
    first, second = _log_slopes(box, other)
    return (
        weighted(power, weighted(value, first)),
        weighted(power, weighted(value, second)),
        weighted(value, log_box_iou(box, other)),
    )


@named(
    means=lambda box, other, power: box_iou(box, other) ** power,
    # 0 where the boxes do not overlap, whatever the power.
    slope=_power_slopes,
    shape="row",
)
def box_iou_power(box: Expression, other: Expression, power: Expression) -> Expression:
    """A power of the IoU, whose slope is 0 where the boxes do not overlap."""
    logarithm = log_box_iou(box, other)  # near 1 it has the digits that a power would amplify
    near = exp(power * maximum(logarithm, -1))
    return where(logarithm < -1, box_iou(box, other) ** power, near)


@named(
    means=lambda box, other, power: 1 - box_iou(box, other) ** power,
    # As above.
    slope=lambda box, other, power: tuple(
        -slope for slope in _power_slopes(box, other, power)
    ),
    shape="row",
)  # fmt: skip
def box_iou_power_gap(box: Expression, other: Expression, power: Expression) -> Expression:
    """1 - IoU^power, right also for nearly equal boxes."""
    exponent = weighted(power, log_box_iou(box, other))
    return where(exponent < -0.7, 1 - box_iou_power(box, other, power), -expm1(exponent))


def _rest_along(x: Span, y: Span, end: End) -> Expression:
    area = or_one(x.hull) * or_one(y.hull)
    shorter = where(end.common & (x.both > 0), y.alone, y.own)
    # own height * hull - union, without what is in both.
    grows = x.missed * (y.alone - y.missed) + (y.own * x.apart - x.both * y.missed)
    union = x.own * y.own + (x.missed * y.other + x.both * y.missed)
    at_tie = shorter * x.hull - union
    drawn = where(end.common, at_tie, grows) / or_one(x.hull)
    found = where(end.hull, drawn, shorter) / area
    return where((x.hull > 0) & (y.hull > 0), found, 0)


@named(
    means=_rest,
    # Areas of other units, in sums of what does not cancel.
    slope=slopes(by_hull, _rest_along),
    shape="row",
    told=True,
)
def enclosing_rest(box: Expression, other: Expression) -> Expression:
    """The share of the smallest enclosing box that neither box covers; 0 if it has no area."""
    x, y = by_hull(box, other)
    corners = x.alone * y.missed + x.missed * y.alone
    between = (x.alone + x.missed + x.both) * y.apart + x.apart * y.hull
    return (corners + between) / (or_one(x.hull) * or_one(y.hull))


def _reach(s: Span, end: End) -> Expression:
    """Return hull + shift for the first end, hull - shift for the last: nothing cancels."""
    a1, a2, b1, b2 = s.ends
    if end.sign > 0:
        found = maximum(a2 - b2, 0) + maximum(a1 - b1, 0) + (a2 - b1)
    else:
        found = maximum(b2 - a2, 0) + maximum(b1 - a1, 0) + (b2 - a1)
    return found / s.unit


def _twice_shift(s: Span) -> Expression:
    a1, a2, b1, b2 = s.ends
    return s.sum_of(a1, a2, -b1, -b2)


def _shift_along(x: Span, y: Span, end: End) -> Expression:
    square = or_one(x.hull * x.hull + y.hull * y.hull)
    ahead, aside = end.sign * _twice_shift(x), _twice_shift(y)
    # ahead * (hull^2 + hull'^2) + hull * (ahead^2 + aside^2); far out hulls and shifts are alike.
    reach, square_across = _reach(x, end), y.hull * y.hull
    near = ahead * (x.hull * reach + square_across) + x.hull * (aside * aside)
    first, last = ends_of(y, tie=False)
    rest = _reach(y, first) * _reach(y, last)
    far = reach * (ahead * x.hull + square_across) - x.hull * rest
    drawn = where(2 * reach < x.hull, far, near)
    return where(end.hull, drawn / square, ahead) / (2 * square)


@named(
    means=_shift,
    # Squares of other units.
    slope=slopes(together, _shift_along),
    shape="row",
    told=True,
)
def centre_distance(box: Expression, other: Expression) -> Expression:
    """Squared distance of the centres over the squared diagonal of the enclosing box."""
    x, y = together(box, other)
    square = x.hull * x.hull + y.hull * y.hull
    ahead, aside = _twice_shift(x), _twice_shift(y)
    return (ahead * ahead + aside * aside) / (4 * or_one(square))


def _longer(s: Span) -> Expression:
    a1, a2, b1, b2 = s.ends
    return s.sum_of(a2, -b2, b1, -a1)


def _side_along(x: Span, y: Span, end: End) -> Expression:
    del y
    hull = or_one(x.hull)
    # hull - (own - other), of which nothing cancels.
    left = (x.missed + x.apart + x.other) / hull
    return -2 * _longer(x) * where(end.hull, left, 1) / (hull * hull)


@named(
    means=_sides,
    # Squares of other units.
    slope=slopes(by_hull, _side_along),
    shape="row",
    told=True,
)
def side_distance(box: Expression, other: Expression) -> Expression:
    """Squared differences of widths and heights over the squared sides of the enclosing box."""
    x, y = by_hull(box, other)
    wider, higher = _longer(x) / or_one(x.hull), _longer(y) / or_one(y.hull)
    return wider * wider + higher * higher


def _side(s: Span, place: int) -> tuple[Expression, Expression]:
    """Return the length of one of the two intervals, and what its rounding has taken from it."""
    first, last = s.ends[2 * place], s.ends[2 * place + 1]
    length = (s.own, s.other)[place]
    return length, held(sum_error(last, -first, length))


def _turn(x: Span, y: Span) -> Expression:
    """Return the angle from the own diagonal to the other one, whose tangent is a quotient."""
    (w, w_low), (h, h_low) = _side(x, 0), _side(y, 0)
    (u, u_low), (v, v_low) = _side(x, 1), _side(y, 1)
    own, other = held(scale_near(maximum(w, h))), held(scale_near(maximum(u, v)))
    w, w_low, h, h_low = (part / own for part in (w, w_low, h, h_low))
    u, u_low, v, v_low = (part / other for part in (u, u_low, v, v_low))
    first, second = u * h, w * v
    across, along = first - second, v * h + u * w
    errors = held(product_error(u, h, first) - product_error(w, v, second))
    low = (u_low * h - w_low * v) + (u * h_low - w * v_low)
    across = across + rounding(held(sum_error(first, -second, across)) + (errors + held(low)))
    # One box may be a line along x and the other one along y, or one a point.
    return atan(across / where(along > 0, along, where(across == 0, 1, 0)))


def _aspect_row(box: Expression, other: Expression) -> Expression:
    x, y = spans_of(box, other)
    unit = held(scale_near(maximum(x.own, y.own)))
    w, h = x.own / unit, y.own / unit
    pull = 8 / pi**2 * _turn(x, y) / or_one(w * w + h * h)
    by_width, by_height = (pull * side / unit / x.room for side in (h, -w))
    lower = where(is_class(0), by_width, by_height)
    upper = where(is_class(2), -by_width, -by_height)
    return where(is_class(0) | is_class(1), lower, upper)


@named(
    means=_aspect,
    # No quotient of sides, which may be 0.
    slope=lambda box, other: (_aspect_row(box, other), _aspect_row(other, box)),
    shape="row",
    told=True,
)
def aspect_distance(box: Expression, other: Expression) -> Expression:
    """4 / pi^2 times the squared angle between the diagonals; 0 if one box is a point."""
    angle = _turn(*spans_of(box, other))
    return 4 / pi**2 * (angle * angle)
