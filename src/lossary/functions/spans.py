"""Two intervals along x, and two along y: what they share, and slopes by the four corners.

Sides are counted in a power of two near the longest of them, which is held: it cancels in what is
computed, no finite box overflows, and derivatives of slopes need not know of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import inf

from lossary.formula import Expression, constant
from lossary.functions.compensated import scale_near, sum_of_four
from lossary.functions.vocabulary import absolute, held, is_class, maximum, minimum, pick, where


def corners(box: Expression) -> tuple[Expression, ...]:
    """Return x1, y1, x2, y2 of a box."""
    return tuple(pick(box, place) for place in range(4))


Ends = tuple[Expression, Expression, Expression, Expression]


@dataclass(frozen=True)
class Span:
    """Two intervals: their lengths, what is common, what each has alone, the gap, the hull.

    The ends are divided by ``room``, so that no difference of them overflows, and lengths by
    ``unit`` too.
    """

    ends: Ends
    room: Expression
    unit: Expression
    own: Expression
    other: Expression
    both: Expression
    alone: Expression
    missed: Expression
    apart: Expression
    hull: Expression

    def per(self, length: Expression) -> Span:
        """Return the lengths in units of a power of two near one of them."""
        unit = held(scale_near(length))
        lengths = (self.own, self.other, self.both, self.alone, self.missed, self.apart, self.hull)
        return Span(self.ends, self.room, unit, *(length / unit for length in lengths))

    def sum_of(self, *ends: Expression) -> Expression:
        """Return a sum of ends with one rounding, in the unit."""
        return sum_of_four(*ends) / self.unit

    def slope(self, per_length: Expression) -> Expression:
        """Turn a derivative by a length in the unit into one by an end."""
        return per_length / self.unit / self.room


def spans_of(box: Expression, other: Expression) -> tuple[Span, Span]:
    """Return the intervals of both boxes along x, and along y."""
    ends = (*corners(box), *corners(other))
    largest = reduce(maximum, map(absolute, ends))
    room = held(where(16 * largest < inf, 1, 16))
    x1, y1, x2, y2, u1, v1, u2, v2 = (end / room for end in ends)
    return _span((x1, x2, u1, u2), room), _span((y1, y2, v1, v2), room)


def _span(ends: Ends, room: Expression) -> Span:
    a1, a2, b1, b2 = ends
    own, other = a2 - a1, b2 - b1
    alone = maximum(b1 - a1, 0) + maximum(a2 - b2, 0)
    missed = maximum(a1 - b1, 0) + maximum(b2 - a2, 0)
    return Span(
        ends=ends,
        room=room,
        unit=constant(1),
        own=own,
        other=other,
        both=maximum(minimum(a2, b2) - maximum(a1, b1), 0),
        alone=minimum(own, alone),
        missed=minimum(other, missed),
        apart=maximum(maximum(b1 - a2, a1 - b2), 0),
        hull=maximum(a2, b2) - minimum(a1, b1),
    )


def by_side(box: Expression, other: Expression) -> tuple[Span, Span]:
    """Return the spans, each in units of the longer of its two sides."""
    x, y = spans_of(box, other)
    return x.per(maximum(x.own, x.other)), y.per(maximum(y.own, y.other))


def by_hull(box: Expression, other: Expression) -> tuple[Span, Span]:
    """Return the spans, each in units of its hull."""
    x, y = spans_of(box, other)
    return x.per(x.hull), y.per(y.hull)


def together(box: Expression, other: Expression) -> tuple[Span, Span]:
    """Return the spans in one unit, for lengths along x beside lengths along y."""
    x, y = spans_of(box, other)
    longest = maximum(x.hull, y.hull)
    return x.per(longest), y.per(longest)


def or_one(x: Expression) -> Expression:
    """Return a divisor that is not 0, for what is 0 with it."""
    return where(x > 0, x, 1)


@dataclass(frozen=True)
class End:
    """One end of the own interval: whether it is one of what is common, and of the hull."""

    sign: int
    common: Expression
    hull: Expression


def ends_of(s: Span, *, tie: bool) -> tuple[End, End]:
    """Return what holds for both ends; at a tie the second box has the slope."""
    a1, a2, b1, b2 = s.ends
    if tie:
        return End(1, b1 <= a1, a1 <= b1), End(-1, a2 <= b2, b2 <= a2)
    return End(1, b1 < a1, a1 < b1), End(-1, a2 < b2, b2 < a2)


Along = Callable[[Span, Span, End], Expression]


def by_entry(x: Span, y: Span, along: Along, *, tie: bool) -> Expression:
    """Return the vector of derivatives by x1, y1, x2, y2; ``along`` gives that of a first end."""

    def entry(own: Span, across: Span, end: End) -> Expression:
        found = own.slope(along(own, across, end))
        return found if end.sign > 0 else -found

    (x1, x2), (y1, y2) = ends_of(x, tie=tie), ends_of(y, tie=tie)
    first = where(is_class(1), entry(y, x, y1), entry(x, y, x1))
    second = where(is_class(2), entry(x, y, x2), entry(y, x, y2))
    return where(is_class(0) | is_class(1), first, second)


Spans = Callable[[Expression, Expression], tuple[Span, Span]]


def slopes(spans: Spans, along: Along) -> Callable[..., tuple[Expression, Expression]]:
    """Return the slopes of a function of two boxes that does not change when they swap places."""

    def slope(box: Expression, other: Expression) -> tuple[Expression, Expression]:
        return (
            by_entry(*spans(box, other), along, tie=False),
            by_entry(*spans(other, box), along, tie=True),
        )

    return slope
