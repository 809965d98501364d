"""Sums and products without order: what a formula is, whichever way it was written.

A sum is a list of terms, a term a number times factors over factors. Formulas that differ by
commutativity, association, signs and constants have one list; ``spell`` writes it down again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce
from math import isfinite
from operator import truediv
from typing import Any

from lossary.formula import Expression, apply, constant, walk

SUMS = frozenset({"sum_of_three", "sum_of_four", "sum_of_five"})
"""Sums with one rounding."""

ARITHMETIC = frozenset(
    {"add", "subtract", "negative", "multiply", "divide", "weighted", "constant", *SUMS}
)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A number times the factors above, over those below."""

    number: float
    above: tuple[Expression, ...] = ()
    below: tuple[Expression, ...] = ()

    def __neg__(self) -> Term:
        return replace(self, number=-self.number)

    def __mul__(self, other: Term) -> Term:
        above, below = self.above + other.above, self.below + other.below
        return Term(self.number * other.number, ordered(above), ordered(below))

    def __truediv__(self, other: Term) -> Term:
        above, below = self.above + other.below, self.below + other.above
        return Term(self.number / other.number, ordered(above), ordered(below))

    @property
    def factors(self) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
        """The term without its number: terms that share them are one."""
        return self.above, self.below


ONE = Term(1.0)


@cache
def terms_of(expression: Expression) -> tuple[Term, ...]:
    """Return the terms of a sum; what is no sum is a single term.

    >>> from lossary.formula import variable
    >>> x, y = variable("x"), variable("y")
    >>> terms_of(x - 2 * y / x)
    (Term(number=1.0, above=(x,), below=()), Term(number=-2.0, above=(y,), below=(x,)))
    """
    operator, arguments = expression.operator, expression.arguments
    if operator == "constant" and not expression.payload:
        return ()
    if operator in {"add", *SUMS}:
        return tuple(term for a in arguments for term in terms_of(a))
    if operator == "subtract":
        return terms_of(arguments[0]) + tuple(-term for term in terms_of(arguments[1]))
    if operator == "negative":
        return tuple(-term for term in terms_of(arguments[0]))
    if operator == "multiply" and arguments[0].operator == "constant":
        return tuple(_term(arguments[0]) * term for term in terms_of(arguments[1]))
    if operator == "divide" and arguments[1].operator == "constant" and arguments[1].payload:
        return tuple(term / _term(arguments[1]) for term in terms_of(arguments[0]))
    return (_term(expression),)


def _term(expression: Expression) -> Term:
    operator, arguments = expression.operator, expression.arguments
    if operator == "constant" and isfinite(number := float(expression.payload or 0.0)):
        return Term(number)
    if operator in {"multiply", "weighted"}:
        return as_factor(arguments[0]) * as_factor(arguments[1])
    if operator == "divide":
        return as_factor(arguments[0]) / as_factor(arguments[1])
    return Term(1.0, (expression,))


def as_factor(expression: Expression) -> Term:
    """Return a factor of a product as a term: a sum is one factor, without its sign and number."""
    terms = terms_of(expression)
    if len(terms) == 1:
        return terms[0]
    if expression.operator == "constant":
        return Term(0.0)
    if expression.operator == "negative":
        return -as_factor(expression.arguments[0])
    if expression.operator == "divide":  # a sum over a number
        return as_factor(expression.arguments[0]) / as_factor(expression.arguments[1])
    if expression.operator == "multiply":  # a number times a sum
        return as_factor(expression.arguments[0]) * as_factor(expression.arguments[1])
    return Term(1.0, (expression,))


# The order in which sums and products are written: that of the kernels that were measured. A sum
# leads with the prediction, a product with what multiplies.

_SUM, _POWER, _CALL = 1, 4, 5


@cache
def structure(node: Expression) -> tuple[Any, ...]:
    """Return what an expression is sorted by: its operators and names."""
    return (node.operator, repr(node.payload), tuple(map(structure, node.arguments)))


def ordered(factors: Iterable[Expression]) -> tuple[Expression, ...]:
    """Sort factors."""
    return tuple(sorted(factors, key=_factor_key))


@cache
def _factor_key(node: Expression) -> tuple[Any, ...]:
    if node.operator == "variable":
        backwards = (*tuple(-ord(letter) for letter in str(node.payload)), 0)
        return 2 if node.class_axis else 0, backwards
    if node.operator in ARITHMETIC:
        return _SUM, structure(node)
    if node.operator == "where":
        return 3, structure(node)
    return (_POWER if "power" in node.operator else _CALL), structure(node)


def rank(term: Term) -> tuple[Any, ...]:
    """Return what terms of a sum are sorted by, apart from their signs."""
    spelled = _product(replace(term, number=1.0))
    kind = {"variable": 1, "constant": 2}.get(spelled.operator, 0)
    key = _factor_key(spelled) if kind == 1 else structure(spelled)
    return not (spelled.class_axis and kind), kind, key


def positive(expression: Expression) -> Expression:
    """Return the expression or its negative: the same one for both."""
    terms = terms_of(expression)
    first = min(terms, key=lambda term: structure(_product(replace(term, number=1.0))), default=ONE)
    return expression if first.number > 0 else spell([-term for term in terms])


def without(term: Term, part: Term) -> Term | None:
    """Return a term divided by a part of it, None where the part has a factor of its own."""
    above, below = list(term.above), list(term.below)
    for left, taken in ((above, part.above), (below, part.below)):
        for factor in taken:
            place = next((i for i, other in enumerate(left) if other is factor), None)
            if place is None:
                return None
            left.pop(place)
    return Term(term.number / part.number, tuple(above), tuple(below))


def spell(terms: Sequence[Term]) -> Expression:
    """Write a sum down: positive terms first, a common number outside."""
    if not terms:
        return constant(0)
    if len(terms) == 1:
        return _product(terms[0])
    size = {abs(term.number) for term in terms}
    if len(size) == 1 and (common := size.pop()) != 1:
        return common * spell([replace(t, number=t.number / common) for t in terms])
    first, *rest = sorted(terms, key=lambda term: (term.number < 0, rank(term)))
    if first.number < 0:
        return -spell([-term for term in terms])
    result = _product(first)
    for term in rest:
        result = result + _product(term) if term.number > 0 else result - _product(-term)
    return result


def _product(term: Term) -> Expression:
    """Write a term down so that no part of it overflows before the whole does."""
    if term.number < 0:
        squares = _is_square(term.above[-2:]) and _is_square(term.below)
        turned = None if squares else _turned(-term)
        return -_product(-term) if turned is None else _product(turned)
    above, below = list(term.above), list(term.below)
    if not above:
        number = constant(term.number)
        return number / _joined(below) if below else number
    if _is_square(above[-2:]) and _is_square(below):  # neither square alone may overflow
        return _times(term.number, _joined([*above[:-2], *2 * [above[-1] / below[-1]]]))
    if below:
        last = _divided(above.pop(), below)
        return _times(term.number, _joined([*above, last]))
    if term.number < 1:  # stays inside: moved out, what is left could overflow
        return _joined([_times(term.number, above[0]), *above[1:]])
    return _times(term.number, _joined(above))


def _divided(factor: Expression, below: Sequence[Expression]) -> Expression:
    """Divide by a plain number last: beside it another divisor may overflow."""
    plain = [f for f in below if all(node.operator != "variable" for node in walk(f))]
    given = [f for f in below if all(f is not one for one in plain)]
    return reduce(truediv, [_joined(part) for part in (given, plain) if part], factor)


def _is_square(factors: Sequence[Expression]) -> bool:
    return len(factors) == 2 and factors[0] is factors[1]


def _turned(term: Term) -> Term | None:
    """Return the negative of a term with its sign inside a difference, or a choice with a sign."""
    for place, factor in reversed(list(enumerate(term.above))):
        if factor.operator == "subtract":
            turned = spell([-part for part in terms_of(factor)])
        elif factor.operator == "where" and _has_sign(factor):
            condition, *branches = factor.arguments
            inside = (spell([-part for part in terms_of(branch)]) for branch in branches)
            turned = apply("where", condition, *inside)
        else:
            continue
        return replace(term, above=(*term.above[:place], turned, *term.above[place + 1 :]))
    return None


def _has_sign(choice: Expression) -> bool:
    return any(branch.operator == "negative" for branch in choice.arguments)


def _times(number: float, factor: Expression) -> Expression:
    return factor if number == 1 else number * factor


def _joined(factors: Sequence[Expression]) -> Expression:
    *rest, result = factors
    for factor in reversed(rest):
        result = apply("multiply", factor, result)
    return result
