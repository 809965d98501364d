"""Derivatives of formulas with words whose own derivatives are told by name: ∂ o for an IoU o.

Of four corners, each with two places to be, the derivative fills pages that nobody reads. What a
reader wants is how it enters: −∂ o + a ∂ v, with the factor a.
"""

from __future__ import annotations

from lossary.calculus import gradient
from lossary.formula import Expression, apply, variable, walk
from lossary.functions import FUNCTIONS
from lossary.render.textbook import BEND, SLOPE
from lossary.rewriting import simplify, substitute


def told_in(value: Expression) -> list[Expression]:
    """Return the parts of a formula whose derivatives are told by name."""
    return [n for n in walk(value) if n.operator in FUNCTIONS and FUNCTIONS[n.operator].told]


def gradient_told(value: Expression, parts: list[Expression]) -> Expression:
    """Return the derivative of a formula that depends on its first argument by those parts."""
    letters, outer = _outer(value, parts)
    terms = (gradient(outer, x) * _slope(part) for part, x in letters.items())
    return substitute(simplify(sum(terms, start=_zero())), _back(letters))


def hessian_told(value: Expression, parts: list[Expression]) -> Expression:
    """Return the diagonal of the second derivative."""
    letters, outer = _outer(value, parts)
    found = _zero()
    for part, x in letters.items():
        steep = gradient(outer, x)
        found = found + steep * apply(BEND, part, class_axis=True)
        for other, y in letters.items():
            found = found + gradient(steep, y) * (_slope(part) * _slope(other))
    return substitute(simplify(found), _back(letters))


def _zero() -> Expression:
    return apply("multiply", 0, 0)


def _slope(part: Expression) -> Expression:
    return apply(SLOPE, part, class_axis=True)


def _outer(
    value: Expression, parts: list[Expression]
) -> tuple[dict[Expression, Expression], Expression]:
    letters = {part: variable(f"told{place}") for place, part in enumerate(parts)}
    return letters, substitute(value, letters)


def _back(letters: dict[Expression, Expression]) -> dict[Expression, Expression]:
    return {letter: part for part, letter in letters.items()}
