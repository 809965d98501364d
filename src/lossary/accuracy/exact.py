"""Formulas in mpmath: what each word means for numbers, and a formula as a line of such steps.

Named functions are evaluated by what they *mean*. Nothing is simplified or differentiated here, so
that nothing shares a mistake with ``calculus`` or with a stable form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from math import pi
from operator import is_
from typing import Any, NamedTuple

from lossary.accuracy.in_order import IN_ORDER, spread
from lossary.accuracy.in_pairs import IN_PAIRS
from lossary.errors import MissingExtraError
from lossary.formula import Expression, variable, walk
from lossary.functions import FUNCTIONS

Number = Any  # an mpmath number
Point = Mapping[str, Any]


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


MOST_BITS = 2**16  # before the point of an exponent: e to more is infinite, or 0


def _exp(m: Any, x: Number) -> Number:
    """Return e^x; mpmath takes e to a huge integer by multiplying, which takes for ever."""
    size = m.mag(x) if x and m.isfinite(x) else 0
    if size < 32:
        return m.exp(x)
    if size > MOST_BITS:
        return m.inf if x > 0 else m.mpf(0)
    with m.workprec(m.prec + size + 16):
        twos = m.nint(x / m.ln2)
        rest = x - twos * m.ln2
    return m.ldexp(m.exp(rest), int(twos))


def _expm1(m: Any, x: Number) -> Number:
    return m.expm1(x) if abs(x) < 2**31 else _exp(m, x) - 1


def _ndtr(m: Any, x: Number) -> Number:
    return m.erfc(-x / m.sqrt(2)) / 2


def _gamma_share(m: Any, a: Number, low: Number, high: Number) -> Number:
    """Return what a gamma distribution of rate 1 has between two numbers."""
    if not (a > 0 and low >= 0 and high >= 0):
        return m.mpc(m.nan, 1)  # as a logarithm of a number below 0, no real number
    # More than a third is above, so that nothing cancels; mpmath sums 2F0 for tens of seconds.
    if a >= 1 and 0 < low < a and m.isinf(high):
        return 1 - m.gammainc(a, 0, low, regularized=True)
    return m.gammainc(a, low, high, regularized=True)


def _beta_share(m: Any, a: Number, b: Number, x: Number) -> Number:
    """Return what a beta distribution has below a share, of the side that has less."""
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        return m.mpc(m.nan, 1)
    if x * (a + b) > a:
        return 1 - _beta_share(m, b, a, 1 - x)
    series = m.hyp2f1(a + b, 1, a + 1, x, maxterms=10**6)  # of positive terms that fall
    return x**a * (1 - x) ** b / a / m.beta(a, b) * series


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
    "exp": _exp,
    "expm1": _expm1,
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
    "gammainc": lambda m, a, x: _gamma_share(m, a, 0, x),
    "gammaincc": lambda m, a, x: _gamma_share(m, a, x, m.inf),
    "betainc": _beta_share,
    "atan": lambda m, x: m.atan(x),
    "acos": lambda m, x: m.acos(x),
}


def _tempered_normalizer(m: Any, n: int, x: Any, t: Number) -> Number:
    """Solve sum exp_t(x - λ) = 1; it is convex in λ, so that Newton's steps do not go too far."""
    row, a = spread(x, n), 1 - t
    top, lead = max(row), m.mpf(0)
    with m.workprec(m.prec + 32):
        while True:
            bases = [1 + a * (entry - top - lead) for entry in row]
            masses = [b ** (1 / a) if b > 0 else m.mpf(0) for b in bases] if a else [
                m.exp(entry - top - lead) for entry in row
            ]  # fmt: skip
            slope = m.fsum(p**t for p in masses if p)
            step = (m.fsum(masses) - 1) / slope
            lead += step
            if step <= m.ldexp(max(lead, 1), 16 - m.prec):
                return top + lead


# What each primitive along the class axis means for a list; `n` is the number of classes.
_ALONG: dict[str, Callable[..., Any]] = {
    "total": lambda m, n, x: m.fsum(spread(x, n)),
    "peak": lambda m, n, x: max(spread(x, n)),
    "argpeak": lambda m, n, x: spread(x, n).index(max(spread(x, n))),
    "pick": lambda m, n, x, label: spread(x, n)[int(label)],
    "class_index": lambda m, n: list(range(n)),
    "class_count": lambda m, n: m.mpf(n),
    "tempered_normalizer": _tempered_normalizer,
    **IN_ORDER,
    **IN_PAIRS,
}


class Step(NamedTuple):
    """What is computed from the results of earlier steps."""

    call: Callable[..., Any]  # of mpmath's context, and of the numbers or rows at ``places``
    places: tuple[int, ...]
    by_entry: bool = False  # whether an entry of a row comes of the entries of rows alone
    grows: bool = False  # whether it is an exponential


class Line:
    """A formula as a straight line of steps, in which what stands twice is computed once."""

    def __init__(self, plan: Sequence[Expression]) -> None:
        self.steps: list[Step] = []
        self._known: dict[Any, int] = {}
        self.names: dict[str, int] = {}
        self.constants: dict[int, float] = {}
        self.places: dict[Expression, int] = {}
        for node in plan:
            self.places[node] = self._place(node, self.places)
        self.last: int = self.places[plan[-1]]
        self.exponents: list[int] = [i for step in self.steps if step.grows for i in step.places]
        self._held: set[int] = {self.places[node] for node in plan if node.operator == "held"}
        self._after: dict[str, list[tuple[int, Step]]] = {}

    def _place(self, node: Expression, places: Mapping[Expression, int]) -> int:
        """Return the place of a node whose arguments have places."""
        if node.operator == "variable":
            return self.names.setdefault(str(node.payload), self._new(Step(_given, ())))
        below = tuple(places[argument] for argument in node.arguments)
        key = node.operator, repr(node.payload), below
        if key not in self._known:
            self._known[key] = self._found(node, below)
        return self._known[key]

    def _new(self, step: Step) -> int:
        self.steps.append(step)
        return len(self.steps) - 1

    def _found(self, node: Expression, below: tuple[int, ...]) -> int:
        if node.operator == "constant":
            place = self._new(Step(_given, ()))
            self.constants[place] = float(node.payload or 0)
            return place
        if node.operator in _ALONG:
            return self._new(Step(_ALONG[node.operator], below))
        if node.operator in IN_MPMATH:
            call = IN_MPMATH[node.operator]
            real = call if node.operator in _REAL else _real_part(call)
            return self._new(Step(real, below, by_entry=True, grows=call in (_exp, _expm1)))
        symbols, plan = _meaning(node.operator, tuple(a.class_axis for a in node.arguments))
        inside = dict(zip(symbols, below, strict=True))
        for inner in plan:
            if inner not in inside:
                inside[inner] = self._place(inner, inside)
        return inside[plan[-1]]

    def run(self, point: Point, classes: int) -> list[Any]:
        """Return the results of all steps in the present precision."""
        m = context()
        found: list[Any] = [None] * len(self.steps)
        given = {place: number(m, value) for place, value in self.constants.items()}
        given |= {place: point[name] for name, place in self.names.items()}
        for place, step in enumerate(self.steps):
            found[place] = given[place] if place in given else _taken(m, step, found, classes)
        return found

    def after(self, name: str) -> list[tuple[int, Step]]:
        """Return the steps between an argument and the last one, but for what is held."""
        if name not in self._after:
            moving, found, wanted = {self.names[name]}, [], {self.last}
            for place, step in enumerate(self.steps):
                if place not in self._held and not moving.isdisjoint(step.places):
                    moving.add(place)
                    found.append((place, step))
            for place, step in reversed(found):
                if place in wanted:
                    wanted.update(step.places)
            self._after[name] = [(place, step) for place, step in found if place in wanted]
        return self._after[name]

    def moved(
        self, base: Sequence[Any], classes: int, name: str, k: int | None, value: Number
    ) -> Number:
        """Return the last result if one argument, or its entry ``k``, has another value.

        ``base`` are all results without that, in the same precision: what does not depend on the
        argument, or on that entry of it, is not computed again. What is held stays as it is.
        """
        if name not in self.names:
            return base[self.last]
        m = context()
        found, start = list(base), self.names[name]
        found[start] = value if k is None else [*base[start][:k], value, *base[start][k + 1 :]]
        for place, step in self.after(name):
            now, before = ([x[i] for i in step.places] for x in (found, base))
            if step.by_entry:
                found[place] = _renewed(m, step.call, base[place], before, now)
            elif not all(map(is_, now, before)):
                found[place] = _kept(base[place], step.call(m, classes, *now))
        return found[self.last]


def _given(*_: Any) -> Any:
    raise TypeError("what is given is not computed")


def _taken(m: Any, step: Step, found: Sequence[Any], classes: int) -> Any:
    """Take a step; a function of numbers takes a row entry by entry."""
    arguments = [found[i] for i in step.places]
    if not step.by_entry:
        return step.call(m, classes, *arguments)
    return _by_entry(m, step.call, arguments)


def _by_entry(m: Any, call: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Call for each entry of rows, and of the rows that a row of pairs consists of."""
    rows = [len(a) for a in arguments if isinstance(a, list)]
    if not rows:
        return call(m, *arguments)
    entries = zip(*(spread(a, rows[0]) for a in arguments), strict=True)
    return [_by_entry(m, call, entry) for entry in entries]


def _renewed(
    m: Any, call: Callable[..., Any], result: Any, before: Sequence[Any], now: Sequence[Any]
) -> Any:
    """Call again for the entries of which an argument is another; ``result`` is what was before.

    Of the pairs of the members of a row, moving one member changes one row and one column.
    """
    if all(map(is_, now, before)):
        return result
    if not isinstance(result, list):
        return call(m, *now)
    n = len(result)
    changes = (
        zip(*(spread(x, n) for x in before), strict=True),
        zip(*(spread(x, n) for x in now), strict=True),
    )
    found = [_renewed(m, call, *entry) for entry in zip(result, *changes, strict=True)]
    return result if all(map(is_, found, result)) else found


def _kept(before: Any, now: Any) -> Any:
    """Return what was before where it is the same now, as ranks are: what rests on it stays."""
    if isinstance(now, list):
        found = [_kept(*pair) for pair in zip(before, now, strict=True)]
        return before if all(map(is_, found, before)) else found
    return before if now == before else now


# Functions that are real for all real numbers; of others a complex number says that the point lies
# outside the domain.
_REAL = frozenset(IN_MPMATH) - {
    "power", "sqrt", "log", "log1p", "acos", "lgamma", "digamma", "trigamma", "log_ndtr",
    "gammainc", "gammaincc", "betainc",
}  # fmt: skip


def _real_part(call: Callable[..., Any]) -> Callable[..., Any]:
    def real(m: Any, *arguments: Any) -> Any:
        x = call(m, *arguments)
        if isinstance(x, m.mpc):
            return x.real if not x.imag else m.nan
        return x

    return real


@cache
def _meaning(
    name: str, rows: tuple[bool, ...]
) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    """Return symbols for the arguments of a named function, and the plan of what it means."""
    symbols = tuple(variable(str(i), class_axis=row) for i, row in enumerate(rows))
    means = FUNCTIONS[name].means
    if means is None:
        raise TypeError(f"{name} has no means=, so that IN_MPMATH of the oracle must have a row")
    return symbols, tuple(walk(means(*symbols)))


def numbers(x: Any) -> list[Number]:
    """Return the numbers of a number, of a row, or of a row of rows."""
    return [y for row in x for y in numbers(row)] if isinstance(x, list) else [x]


def number(m: Any, value: Any) -> Number:
    """Return a constant; the float that is nearest to π stands for π."""
    return +m.pi if value == pi else m.mpf(value)


@lru_cache(maxsize=1024)
def line(plan: tuple[Expression, ...]) -> Line:
    """Return the steps of a plan, which is the ``walk`` of an expression."""
    return Line(plan)


def each_node(plan: Sequence[Expression], point: Point, classes: int = 1) -> dict[Expression, Any]:
    """Return every node of a plan in the present precision."""
    steps = line(tuple(plan))
    found = steps.run(point, classes)
    return {node: found[place] for node, place in steps.places.items()}
