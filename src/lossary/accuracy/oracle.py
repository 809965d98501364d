"""The truth about a loss: its formula as written, in mpmath, to as many digits as it takes.

The formula is evaluated node by node, named functions by what they *mean*, and never simplified or
differentiated symbolically, so that nothing here shares a mistake with ``calculus`` or with a
stable form. Derivatives are differences: a step of 2^-k with several times k bits, for two k that
must agree. Where the one-sided derivatives differ, the answer is a :class:`Kink`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import pi
from types import MappingProxyType
from typing import Any

from lossary.accuracy.in_order import IN_ORDER, spread
from lossary.definition import Definition
from lossary.errors import MissingExtraError
from lossary.formula import Expression, variable, walk
from lossary.functions import FUNCTIONS

Number = Any  # an mpmath number
Point = Mapping[str, Any]

AGREE = 70  # bits in which two precisions must agree: far more than a float64 has
APART = 48  # bits between one step of a difference and the next
LIMIT = 2**16  # bits at which a value that still moves is given up


@dataclass(frozen=True)
class Kink:
    """The derivatives from below and from above, where they differ."""

    below: Number
    above: Number


@cache
def context() -> Any:
    """Return the mpmath context of the oracle; its precision belongs to whoever computes."""
    try:
        import mpmath
    except ModuleNotFoundError as error:
        raise MissingExtraError("accuracy", "The oracle of true values") from error
    return mpmath.MPContext()


def _divide(m: Any, x: Number, y: Number) -> Number:
    if y:
        return x / y
    return m.nan if not x or x != x else m.inf * (1 if x > 0 else -1)  # noqa: PLR0124


def _ndtr(m: Any, x: Number) -> Number:
    return m.erfc(-x / m.sqrt(2)) / 2


# What each primitive means for numbers, and each function that textbooks have no other words for;
# `where` and the class axis stand in _ALONG.
IN_MPMATH: dict[str, Callable[..., Any]] = {
    "add": lambda m, x, y: x + y,
    "subtract": lambda m, x, y: x - y,
    "multiply": lambda m, x, y: x * y,
    "divide": _divide,
    "negative": lambda m, x: -x,
    "power": lambda m, x, p: x**p if x or p >= 0 else m.inf,
    "absolute": lambda m, x: abs(x),
    "sign": lambda m, x: m.mpf(x > 0) - m.mpf(x < 0),
    "floor": lambda m, x: m.floor(x),
    "sqrt": lambda m, x: m.sqrt(x),
    "exp": lambda m, x: m.exp(x),
    "expm1": lambda m, x: m.expm1(x),
    "log": lambda m, x: m.log(x),
    "log1p": lambda m, x: m.log1p(x) if x != -1 else -m.inf,
    "tanh": lambda m, x: m.tanh(x),
    "sin": lambda m, x: m.sin(x) if m.isfinite(x) else m.nan,
    "cos": lambda m, x: m.cos(x) if m.isfinite(x) else m.nan,
    "maximum": lambda m, x, y: max(y, x),
    "minimum": lambda m, x, y: min(y, x),
    "less": lambda m, x, y: bool(x < y),
    "less_equal": lambda m, x, y: bool(x <= y),
    "equal": lambda m, x, y: bool(x == y),
    "logical_and": lambda m, x, y: x and y,
    "logical_or": lambda m, x, y: x or y,
    "logical_not": lambda m, x: not x,
    "where": lambda m, c, x, y: x if c else y,
    "held": lambda m, x: x,
    "weighted": lambda m, w, v: w * v if w else m.mpf(0),
    "erf": lambda m, x: m.erf(x),
    "erfc": lambda m, x: m.erfc(x),
    "ndtr": _ndtr,
    "log_ndtr": lambda m, x: m.log1p(-_ndtr(m, -x)) if x > 0 else m.log(_ndtr(m, x)),
    "lgamma": lambda m, x: m.loggamma(x),
    "digamma": lambda m, x: m.digamma(x),
    "trigamma": lambda m, x: m.psi(1, x),
    "i0e": lambda m, x: m.besseli(0, x) * m.exp(-abs(x)),
    "i1e": lambda m, x: m.besseli(1, x) * m.exp(-abs(x)),
    "atan": lambda m, x: m.atan(x),
    "acos": lambda m, x: m.acos(x),
}

# What each primitive along the class axis means for a list; `n` is the number of classes.
_ALONG: dict[str, Callable[..., Any]] = {
    "total": lambda m, n, x: m.fsum(spread(x, n)),
    "peak": lambda m, n, x: max(spread(x, n)),
    "argpeak": lambda m, n, x: spread(x, n).index(max(spread(x, n))),
    "pick": lambda m, n, x, label: spread(x, n)[int(label)],
    "class_index": lambda m, n: list(range(n)),
    "class_count": lambda m, n: m.mpf(n),
    **IN_ORDER,
}


def _each(m: Any, call: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Apply a function of numbers; a list is taken entry by entry."""
    n = next((len(a) for a in arguments if isinstance(a, list)), None)
    if n is None:
        return call(m, *arguments)
    return [call(m, *entry) for entry in zip(*(spread(a, n) for a in arguments), strict=True)]


def _real(m: Any, x: Any) -> Any:
    """Return NaN in place of a complex number: the point lies outside the function's domain."""
    if isinstance(x, list):
        return [_real(m, entry) for entry in x]
    if isinstance(x, m.mpc):
        return x.real if not x.imag else m.nan
    return x


def _means(m: Any, node: Expression, arguments: Sequence[Any], classes: int) -> Any:
    operator = node.operator
    if operator in _ALONG:
        return _ALONG[operator](m, classes, *arguments)
    if operator in IN_MPMATH:
        return _real(m, _each(m, IN_MPMATH[operator], arguments))
    plan = _meaning(operator, tuple(a.class_axis for a in node.arguments))
    return evaluate(plan, {str(i): x for i, x in enumerate(arguments)}, classes)


@cache
def _meaning(name: str, rows: tuple[bool, ...]) -> tuple[Expression, ...]:
    """Return the plan of what a named function means; its arguments are called 0, 1, 2."""
    symbols = (variable(str(i), class_axis=row) for i, row in enumerate(rows))
    means = FUNCTIONS[name].means
    if means is None:
        raise TypeError(f"{name} has no means=, so that IN_MPMATH of the oracle must have a row")
    return tuple(walk(means(*symbols)))


def number(m: Any, value: Any) -> Number:
    """Return a constant; the float that is nearest to π stands for π."""
    return +m.pi if value == pi else m.mpf(value)


def evaluate(
    plan: Sequence[Expression],
    point: Point,
    classes: int = 1,
    held: Mapping[Expression, Any] = MappingProxyType({}),
) -> Any:
    """Return the last node of a plan (``walk`` of an expression) in the present precision."""
    return each_node(plan, point, classes, held)[plan[-1]]


def each_node(
    plan: Sequence[Expression],
    point: Point,
    classes: int = 1,
    held: Mapping[Expression, Any] = MappingProxyType({}),
) -> dict[Expression, Any]:
    """Return every node of a plan in the present precision; ``held`` ones are known."""
    m = context()
    found: dict[Expression, Any] = {}
    for node in plan:
        if node in held:
            found[node] = held[node]
        elif node.operator == "variable":
            found[node] = point[str(node.payload)]
        elif node.operator == "constant":
            found[node] = number(m, node.payload)
        else:
            found[node] = _means(m, node, [found[a] for a in node.arguments], classes)
    return found


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
        self.plan: tuple[Expression, ...] = tuple(walk(expression))
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
            return self.beyond.value(point)
        if found is None:
            raise ArithmeticError(f"no precision settles {self.plan[-1]!r} at {point}")
        return found

    def _value(self, point: Point) -> Number | None:
        place = Place(point)
        m = context()
        bits, last = 2 * (place.spacing + place.extent) + 64, None
        while bits < LIMIT:
            with m.workprec(bits):
                found = m.mpf(evaluate(self.plan, place.numbers, place.classes))
            if not m.isfinite(found):
                return found
            if found and last is not None and _agree(m, found, last, self.floor):
                return found
            # 0 is 0 when the smallest number of the type would have shown beside the largest.
            enough = self.floor + 2 * place.extent
            if not found and bits > enough:
                return found
            last = found
            bits = bits + bits // 2 if found else max(2 * bits, enough + 1)
        return None

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
        if m.isinf(start):
            if name in self.excluding:
                return m.mpf(0)  # an excluded class takes no part
            start = m.sign(start) * m.ldexp(1, 30)

        constants = [node for node in self.plan if node.operator == "held"]

        def moved(amount: Number) -> Number:
            here = each_node(self.plan, place.numbers, place.classes) if constants else {}
            held = {node: here[node] for node in constants}
            there = start + amount
            moved_to = there if k is None else [*row[:k], there, *row[k + 1 :]]
            numbers = {**place.numbers, name: moved_to}
            return m.mpf(evaluate(self.plan, numbers, place.classes, held))

        found = slope(moved, place.spacing, place.extent, self.floor)
        settled = isinstance(found, Kink) or (found is not None and m.isfinite(found))
        return found if settled or self.beyond is None else self.beyond.entry(place, name, k)


class Place:
    """A point as exact numbers, and the bits that they span."""

    def __init__(self, point: Point) -> None:
        m = context()
        with m.workprec(2500):
            self.numbers: dict[str, Any] = {name: _exact(m, value) for name, value in point.items()}
        rows = [x for x in self.numbers.values() if isinstance(x, list)]
        self.classes: int = len(rows[0]) if rows else 1
        single = [x for x in self.numbers.values() if x is not None and not isinstance(x, list)]
        numbers = [x for row in [*rows, single] for x in row if x and m.isfinite(x)]
        parts = [x._mpf_ for x in numbers]
        self.spacing: int = max([0, *(-exponent for _, _, exponent, _ in parts)])
        self.extent: int = max([1, *(exponent + count for _, _, exponent, count in parts)])


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
            settled = len(found) > 1 and _agree(m, found[-1], found[-2], floor)
            if settled and (len(found) > 3 or abs(found[-1]) > m.ldexp(1, -floor)):
                return found[-1]
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
