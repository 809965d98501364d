"""The truth about a loss: its formula as written, in mpmath, to as many digits as it takes.

The formula is evaluated node by node, named functions by what they *mean*, and never simplified or
differentiated symbolically, so that nothing here shares a mistake with ``calculus`` or with a
stable form. Derivatives are differences: a step of 2^-k with several times k bits, for two k that
must agree. Where the one-sided derivatives differ, the answer is a :class:`Kink`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lossary.accuracy.exact import Line, Number, Point, context, line, numbers
from lossary.definition import Definition
from lossary.formula import Expression, walk

AGREE = 70  # bits in which two precisions must agree: far more than a float64 has
APART = 48  # bits between one step of a difference and the next
LIMIT = 2**16  # bits at which a value that still moves is given up


@dataclass(frozen=True)
class Kink:
    """The derivatives from below and from above, where they differ."""

    below: Number
    above: Number


class Meaning:
    """An expression as exact numbers of one element or row; points map names to numbers.

    ``floor`` is the number of bits below 1 down to which a result other than 0 must be told from 0;
    ``excluding`` names the arguments in which -inf takes a class out. ``beyond`` is the same
    formula as it is computed: it answers where what is written has no value that digits could give,
    such as 0 log 0, or 1 - σ(1e38), which is 1 - 1 to any precision.

    >>> import lossary as L
    >>> huber = Meaning.of(L.catalogue["huber"])
    >>> huber.value({"prediction": 3.0, "target": 0.0, "delta": 1.0})
    mpf('2.5')
    >>> huber.gradient({"prediction": 0.5, "target": 0.0, "delta": 1.0}, "prediction")
    mpf('0.5')
    """

    def __init__(
        self,
        expression: Expression,
        floor: int = 1140,
        excluding: frozenset[str] = frozenset(),
        beyond: Expression | None = None,
    ) -> None:
        self.line: Line = line(tuple(walk(expression)))
        self.expression: Expression = expression
        self.floor: int = floor
        self.excluding: frozenset[str] = excluding
        self.beyond: Meaning | None = None
        if beyond is not None and beyond is not expression:
            self.beyond = Meaning(beyond, floor, excluding)

    @classmethod
    def of(
        cls, definition: Definition, absent: frozenset[str] = frozenset(), floor: int = 1140
    ) -> Meaning:
        """Return the meaning of a loss's formula; ``absent`` names parameters that are None."""
        logits = frozenset(n for n, d in definition.domains.items() if d.name == "Logits")
        return cls(definition.meaning(absent), floor, logits, definition.expression(absent))

    def value(self, point: Point) -> Number:
        """Return the value, in the first precision that the next one confirms."""
        found = self._value(point)
        if self.beyond is not None and (found is None or not context().isfinite(found)):
            limit = self.beyond.value(point)
            if found is None or not context().isnan(limit):
                return limit
        if found is None:
            raise ArithmeticError(f"no precision settles {self.expression!r} at {point}")
        return found

    def _value(self, point: Point) -> Number | None:
        place = Place(point)
        m = context()
        bits, last = 2 * (place.spacing + place.extent) + 64 + self._apart(place), None
        while bits < LIMIT:
            with m.workprec(bits):
                found = m.mpf(self.line.run(place.numbers, place.classes)[self.line.last])
            if not m.isfinite(found):
                return found
            # 0 is 0 when the smallest number of the type would have shown beside the largest.
            enough = self.floor + 2 * place.extent
            # A tiny result may be what is left where a larger part was lost beside a 1.
            told = bool(found) and bits > min(AGREE - m.mag(found), enough)
            if told and last is not None and _agree(m, found, last, self.floor):
                return found
            if not found and bits > enough:
                return found
            last = found
            bits = bits + bits // 2 if found else max(2 * bits, enough + 1)
        return None

    def _apart(self, place: Place) -> int:
        """Return how many bits e^x and e^-x lie apart from 1 for numbers and exponents of a place.

        Two precisions that both miss a part so small agree on what is left of the result.
        """
        m = context()
        with m.workprec(64):
            found = place.results(self.line)
            sizes = [m.mag(x) for x in numbers([found[i] for i in self.line.exponents]) if x]
        extent = max([place.extent, *(size for size in sizes if isinstance(size, int))])
        if extent > self.floor.bit_length():
            return self.floor
        return min(self.floor, 3 << (extent - 1))  # log2(e) is below 3 / 2

    def gradient(self, point: Point, name: str) -> Any:
        """Return the derivative with respect to an argument: a number, or one for each class.

        An entry can be a :class:`Kink`, or None where the derivative has no limit.
        """
        place = Place(point)
        row = place.numbers[name]
        if isinstance(row, list):
            return [self.entry(place, name, k) for k in range(len(row))]
        return self.entry(place, name, None)

    def entry(self, place: Place, name: str, k: int | None) -> Any:
        """Return one entry of the gradient; ``k`` is its class, None for a number."""
        m = context()
        row = place.numbers[name]
        start = row if k is None else row[k]
        endless = m.isinf(start)
        if endless:
            if name in self.excluding:
                return m.mpf(0)  # an excluded class takes no part
            # Beyond all other numbers; so far out an exponential is 0, or infinite.
            start = m.sign(start) * m.ldexp(1, max(30, place.extent + 2))

        def moved(amount: Number) -> Number:
            here = place.results(self.line)
            if not amount and not endless:
                return m.mpf(here[self.line.last])
            return m.mpf(self.line.moved(here, place.classes, name, k, start + amount))

        room = place.extent + self._apart(place) // 2
        found = slope(moved, place.spacing, room, self.floor)
        settled = isinstance(found, Kink) or (found is not None and m.isfinite(found))
        return found if settled or self.beyond is None else self.beyond.entry(place, name, k)


class Place:
    """A point as exact numbers, the bits that they span, and what formulas are there."""

    def __init__(self, point: Point) -> None:
        m = context()
        with m.workprec(2500):
            self.numbers: dict[str, Any] = {name: _exact(m, value) for name, value in point.items()}
        rows = [x for x in self.numbers.values() if isinstance(x, list)]
        self.classes: int = len(rows[0]) if rows else 1
        single = [x for x in self.numbers.values() if x is not None and not isinstance(x, list)]
        kept = [x for row in [*rows, single] for x in row if x and m.isfinite(x)]
        parts = [x._mpf_ for x in kept]
        self.spacing: int = max([0, *(-exponent for _, _, exponent, _ in parts)])
        self.extent: int = max([1, *(exponent + count for _, _, exponent, count in parts)])
        self._results: dict[tuple[Line, int], list[Any]] = {}

    def results(self, steps: Line) -> list[Any]:
        """Return the results of all steps of a formula here, in the present precision."""
        key = steps, context().prec
        if key not in self._results:
            self._results[key] = steps.run(self.numbers, self.classes)
        return self._results[key]


def _exact(m: Any, value: Any) -> Any:
    if value is None:
        return None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [m.mpf(x) for x in value]
    return m.mpf(value)


def _agree(m: Any, x: Number, y: Number, floor: int) -> bool:
    limit = max(m.ldexp(abs(x), -AGREE), m.ldexp(1, -floor))
    return bool(abs(x - y) <= limit)


def slope(moved: Callable[[Number], Number], spacing: int, extent: int, floor: int) -> Any:
    """Return the derivative at 0 of ``moved``: a number, a :class:`Kink`, or None without a limit.

    The place is a multiple of 2^-spacing and below 2^extent, and so are the places of all corners
    near it; the first step is 2^48 times finer than that.
    """
    m = context()
    first = spacing + APART
    ladder = [
        (first, 0),
        (first + APART, 0),
        (first + 2 * APART, floor),
        (first + 3 * APART, floor),
        (2 * first + 6 * APART, floor),
        (4 * first + 12 * APART, floor),
    ]
    found: list[Number] = []
    jumps: list[Number] = []
    blind = False
    for step, more in ladder:
        with m.workprec(2 * step + 2 * extent + 64 + more):
            h = m.ldexp(1, -step)
            low, high = moved(-h), moved(h)
            if m.isfinite(low) and m.isfinite(high):
                if len(jumps) == len(found) < 2:
                    middle = moved(m.mpf(0))
                    below, above = (middle - low) / h, (high - middle) / h
                    jumps.append(above - below)
                    if _corner(m, jumps, below, above, floor):
                        kink = _confirmed(moved, step, extent, floor)
                        if kink:
                            return kink
                found.append((high - low) / (2 * h))
            elif m.isfinite(high):
                found.append((moved(2 * h) - high) / h)
            elif m.isfinite(low):
                found.append((low - moved(-2 * h)) / h)
            else:
                return None
            # Beside what is huge, such as e^(1e23) of another member of the row, nothing shows.
            blind = m.mag(high if m.isfinite(high) else low) + step - m.prec > -floor
            settled = len(found) > 1 and _agree(m, found[-1], found[-2], floor)
            if settled and (len(found) > 3 or abs(found[-1]) > m.ldexp(1, -floor)):
                return None if blind and not found[-1] else found[-1]
    if blind:
        return None
    return _limit(m, found) if not jumps or abs(found[-1]) < abs(found[0]) else None


def _corner(m: Any, jumps: list[Number], below: Number, above: Number, floor: int) -> bool:
    """Whether the one-sided derivatives differ by as much after a far smaller step."""
    if len(jumps) < 2:
        return False
    size = max(abs(below), abs(above), m.ldexp(1, -floor))
    return bool(abs(jumps[1]) > m.ldexp(max(size, abs(jumps[0])), -20))


def _confirmed(
    moved: Callable[[Number], Number], step: int, extent: int, floor: int
) -> Kink | None:
    """Return the corner if it is there with so many bits that it cannot be rounding."""
    m = context()
    with m.workprec(4 * step + 2 * extent + 64 + floor):
        middle = moved(m.mpf(0))
        jumps: list[Number] = []
        for h in (m.ldexp(1, -step), m.ldexp(1, -step - APART)):
            below, above = (middle - moved(-h)) / h, (moved(h) - middle) / h
            jumps.append(above - below)
        return Kink(below, above) if _corner(m, jumps, below, above, floor) else None


def _limit(m: Any, found: Sequence[Number]) -> Number | None:
    """Return 0 or an infinity if the differences run there as the step shrinks."""
    sizes = [abs(x) for x in found[-3:]]
    if all(a > 0 and b > a * 1.2 for a, b in pairwise(sizes)):
        return m.inf if found[-1] > 0 else -m.inf
    if all(b * 2**16 < a or not b for a, b in pairwise(sizes)):
        return m.mpf(0)
    return None
