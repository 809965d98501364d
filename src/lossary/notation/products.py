"""Products as a reader multiplies them: a number times powers, in which equal bases meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from operator import is_

from lossary.formula import Expression, constant
from lossary.identities.terms import Term, spell, structure, terms_of


@dataclass(frozen=True, eq=False)
class Product:
    """A number times powers of expressions, with the exponent of each."""

    number: float = 1.0
    powers: Mapping[Expression, Expression] = field(default_factory=dict)

    def __mul__(self, other: Product) -> Product:
        powers = dict(self.powers)
        for base, exponent in other.powers.items():
            total = joined(powers.get(base, constant(0)), exponent)
            if total.payload == 0 and total.operator == "constant":
                powers.pop(base, None)
            else:
                powers[base] = total
        return Product(self.number * other.number, powers)

    def __neg__(self) -> Product:
        return replace(self, number=-self.number)

    def __truediv__(self, other: Product) -> Product:
        return self * other.to(constant(-1))

    def to(self, exponent: Expression) -> Product:
        """Raise to a power; a number stays one only if the power is a whole number."""
        size = number_of(exponent)
        number = self.number**size if size is not None else 1.0
        return Product(number, {b: times(e, exponent) for b, e in self.powers.items()})

    def without(self, bases: Iterable[Expression]) -> Product:
        """Leave out some of the powers."""
        left = set(bases)
        return replace(self, powers={b: e for b, e in self.powers.items() if b not in left})

    @property
    def key(self) -> tuple[tuple[int, int], ...]:
        """What equal products have in common, apart from their numbers."""
        return tuple(sorted((id(b), id(e)) for b, e in self.powers.items()))

    def spelled(self) -> Expression:
        """Return the product as one fraction, without its sign."""
        above, below = [], []
        for base, exponent in sorted(self.powers.items(), key=_rank):
            size = number_of(exponent)
            inverse = size is not None and size < 0
            power = constant(-size) if inverse and size is not None else exponent
            found = base if number_of(power) == 1 else base**power
            (below if inverse else above).append(found)
        size = abs(self.number)
        whole = 1 / size if 0 < size < 1 else 0.0
        if whole and abs(whole - round(whole)) < 1e-9 and (below or whole > 4):
            below.insert(0, constant(round(whole)))
        elif size != 1:
            above.insert(0, constant(size))
        above = above or [constant(1)]
        return _multiplied(above) / _multiplied(below) if below else _multiplied(above)


def _multiplied(factors: list[Expression]) -> Expression:
    found, *rest = factors
    for factor in rest:
        found = found * factor
    return found


def _rank(item: tuple[Expression, Expression]) -> tuple[object, ...]:
    """Letters first, then shares, sums, functions, and sums along the class axis."""
    base = item[0]
    inner = base.arguments[0] if base.operator == "pick" else base
    kinds = {"variable": 0, "class_count": 0, "sigmoid": 1, "softmax": 1, "where": 3, "total": 5}
    kinds |= {"add": 2, "subtract": 2}
    return kinds.get(inner.operator, 4), structure(base)


def number_of(node: Expression) -> float | None:
    """Return the value of a constant."""
    if node.operator != "constant":
        return None
    value = float(node.payload or 0.0)
    return value if isfinite(value) else None


def joined(x: Expression, y: Expression) -> Expression:
    """Return the sum of two exponents."""
    a, b = number_of(x), number_of(y)
    if a is not None and b is not None:
        return constant(a + b)
    sizes: dict[Term, float] = {}
    for term in (*terms_of(x), *terms_of(y)):
        same = next((t for t in sizes if _alike(t, term)), None)
        sizes[same or term] = sizes.get(same or term, 0.0) + term.number
    return _in_order([(size, spell([replace(t, number=abs(size))])) for t, size in sizes.items()])


def _alike(one: Term, other: Term) -> bool:
    """Whether two terms have the same factors; == of expressions would be a formula."""
    return all(
        len(mine) == len(theirs) and all(map(is_, mine, theirs))
        for mine, theirs in zip(one.factors, other.factors, strict=True)
    )


def times(x: Expression, y: Expression) -> Expression:
    """Return the product of two exponents."""
    a, b = number_of(x), number_of(y)
    if a is not None and b is not None:
        return constant(a * b)
    if b == 1:
        return x
    if a == 1:
        return y
    return joined(-x, constant(0)) if b == -1 else x * y


def ordered_sum(products: Iterable[Product]) -> Expression:
    """Write a sum down, positive terms first."""
    return _in_order([(p.number, p.spelled()) for p in products])


def _in_order(terms: Iterable[tuple[float, Expression]]) -> Expression:
    """Add up sizes with their signs: positive terms first, a number before letters."""
    parts = [(number < 0, part) for number, part in terms if number]
    if not parts:
        return constant(0)
    parts.sort(key=lambda part: (part[0], part[1].operator != "constant", structure(part[1])))
    (negative, found), *rest = parts
    if negative:
        found = -found
    for less, part in rest:
        found = found - part if less else found + part
    return found
