"""Derivatives: tables of rules, nothing else.

The derivative with respect to an argument without class axis is an expression. With respect to an
argument x with class axis it is, for a row-shaped expression, the vector of ``d e / d x_k``, and
for a class-shaped expression a :class:`Jacobian`, diagonal plus outer products. The gradient of
a loss is the first, its diagonal Hessian the diagonal of the second.

Kinks: |x|' = 0 at 0, a tie of maximum or minimum gives its derivative to the second argument,
``where`` takes the branch that its condition takes, ``peak`` belongs to the first largest class.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from inspect import signature
from typing import Any

from lossary.calculus.jacobians import (
    Tangent,
    contracted,
    diagonal,
    each,
    plain,
    product,
    reduced,
    summed,
    tidied,
    times,
    unsigned,
)
from lossary.calculus.rules import DISCRETE, PARTIALS, PUSHES, REDUCTIONS, STEEP
from lossary.errors import FormulaError
from lossary.formula import Expression, bottom_up, variable
from lossary.functions import (
    FUNCTIONS,
    ORDERED_SLOPES,
    Jacobian,
    NoSlope,
    Slope,
    other,
    paired,
    parts_of,
    total,
    total_of_others,
    weighted,
)
from lossary.identities import stable
from lossary.rewriting import ONE, ZERO, simplify, substitute


def gradient(loss: Expression, argument: Expression) -> Expression:
    """Return the derivative of a loss, one number per entry of the argument."""
    slope = derivative(loss, argument)
    if isinstance(slope, Jacobian):
        raise TypeError("a loss has one number per row; reduce it with total, peak or pick")
    return ZERO if slope is None else slope


def diagonal_hessian(loss: Expression, argument: Expression) -> Expression:
    """Return the second derivative of a loss in each entry of the argument."""
    return diagonal(derivative(gradient(loss, argument), argument))


def derivative(expression: Expression, argument: Expression) -> Tangent:
    """Return the derivative of an expression with respect to a variable; None if it is constant."""
    tangents = _tangents.setdefault(argument, {})
    return bottom_up(expression, tangents, lambda node: tidied(_derive(node, argument, tangents)))


# The derivative of each expression by an argument: second derivatives begin with the first.
_tangents: dict[Expression, dict[Expression, Tangent]] = {}


def _derive(node: Expression, argument: Expression, tangents: dict[Expression, Tangent]) -> Tangent:
    if node is argument:
        return Jacobian(ONE) if node.class_axis else ONE
    if node.paired:  # a function of numbers, which the sum over the others looks into
        return None
    if node.operator == "total_of_others":
        return _of_others(node.arguments[0], argument, tangents)
    inner = [tangents[a] for a in node.arguments]
    if node.operator in DISCRETE or all(t is None for t in inner):
        return None
    if not argument.class_axis:
        return summed(_push(node, i, t) for i, t in enumerate(inner) if isinstance(t, Expression))
    if node.operator in REDUCTIONS:
        return reduced(node, inner[0])
    return summed(_through(node, i, t) for i, t in enumerate(inner) if t is not None)


def _of_others(
    body: Expression, argument: Expression, tangents: dict[Expression, Tangent]
) -> Tangent:
    """Sum the slopes of a formula of pairs in what belongs to the one, the other, and neither."""
    parts = parts_of(body)
    found: list[Tangent] = []
    for symbol, part in parts.stands.items():
        of_other = part.operator == "other"
        tangent = tangents[part.arguments[0] if of_other else part]
        slope = derivative(parts.body, symbol) if tangent is not None else None
        if tangent is None or not isinstance(slope, Expression):
            continue
        entries = parts.back(slope)
        if isinstance(tangent, Jacobian):
            own = Jacobian(None if of_other else total_of_others(entries))
            link = Jacobian(None, chains=(paired(entries),))
            found.append(product(link if of_other else own, tangent))
        elif argument.class_axis:
            found.append(Jacobian(None, ((total_of_others(entries), tangent),)))
        else:
            along = other(tangent) if of_other and tangent.class_axis else tangent
            found.append(total_of_others(entries * along))
    return summed(found)


def _push(node: Expression, i: int, tangent: Expression) -> Tangent:
    """Chain rule for one argument whose tangent has the shape of that argument."""
    operator, arguments = node.operator, node.arguments
    if operator == "pick" or operator in REDUCTIONS:
        return REDUCTIONS[operator][0](tangent, *arguments) if i == 0 else None
    if operator in PUSHES:
        push = PUSHES[operator][i]
        return push(tangent, *arguments) if push else None
    slope = _slope(node, i)
    if isinstance(slope, Jacobian):
        return times(slope, tangent)
    if slope is None:
        return None
    if operator in FUNCTIONS and FUNCTIONS[operator].zero_wins:
        return weighted(slope, tangent)
    reduces = node.arguments[i].class_axis and not node.class_axis
    if node.arguments[i].operator == "absolute" and i in STEEP.get(node.operator, ()):
        return weighted(tangent, slope)
    return total(slope * tangent) if reduces else tangent * slope


def _slope(node: Expression, i: int) -> Tangent:
    if node.operator in FUNCTIONS:
        slope = slopes(node.operator, *node.arguments)[i]
    elif node.operator in ORDERED_SLOPES:
        slope = ORDERED_SLOPES[node.operator](*node.arguments)[i]
    else:
        slope = PARTIALS[node.operator][i](*node.arguments)
    if isinstance(slope, NoSlope):
        raise UnknownSlopeError(slope, node.arguments[i])
    return slope


class UnknownSlopeError(FormulaError):
    """A derivative rests on a slope that nobody has a formula for."""

    def __init__(self, slope: NoSlope, argument: Expression) -> None:
        super().__init__(
            f"{slope.reason}, so there is no derivative by {argument!r}\n"
            "hint: make it a setting, after the * of the signature, or hold it: held(x)"
        )
        self.slope: NoSlope = slope


def slopes(name: str, *arguments: Expression) -> tuple[Slope, ...]:
    """Return the derivatives of a named function in each argument, as they are computed."""
    by_hand = FUNCTIONS[name].slope
    return by_hand(*arguments) if by_hand else slopes_of_meaning(name, *arguments)


def slopes_of_meaning(name: str, *arguments: Expression) -> tuple[Slope, ...]:
    """Return the derivatives of what a named function means, in the form that is computed."""
    by_entry = FUNCTIONS[name].shape == "elementwise"
    rows = tuple(not by_entry and argument.class_axis for argument in arguments)
    symbols, found = _derived(name, rows)
    known = dict(zip(symbols, arguments, strict=True))
    return tuple(
        slope if isinstance(slope, NoSlope) else each(slope, lambda part: substitute(part, known))
        for slope in found
    )


@cache
def _derived(name: str, rows: tuple[bool, ...]) -> tuple[tuple[Expression, ...], tuple[Slope, ...]]:
    """Return symbols, and the derivatives of a meaning by them, in the form that is computed."""
    function = FUNCTIONS[name]
    words = signature(function.computed).parameters
    symbols = tuple(variable(w, class_axis=row) for w, row in zip(words, rows, strict=True))
    means: Any = function.means  # there is one where no slope is given
    meaning = means(*symbols)
    return symbols, tuple(_stable_slope(meaning, symbol) for symbol in symbols)


def _stable_slope(meaning: Expression, symbol: Expression) -> Slope:
    try:
        slope = derivative(meaning, symbol)
    except UnknownSlopeError as error:
        return error.slope
    return unsigned(each(slope, lambda part: stable(part, {})))


def _through(node: Expression, i: int, tangent: Expression | Jacobian) -> Tangent:
    """Chain rule with respect to an argument that has a class axis."""
    if isinstance(tangent, Expression):  # argument i is row-shaped: its vector d a / d x_k
        if not node.class_axis:
            return _push(node, i, tangent)
        column = _push(node, i, ONE)
        return None if column is None else Jacobian(None, ((plain(column), tangent),))
    if (rescaled := _rescaled(node, i, tangent)) is not None:
        return rescaled
    slope = None if node.operator in PUSHES else _slope(node, i)
    if isinstance(slope, Jacobian):
        return product(slope, tangent)
    if node.class_axis:
        own = None if tangent.diagonal is None else _push(node, i, tangent.diagonal)
        outer = ((_push(node, i, column), row) for column, row in tangent.outer)
        chains = ((chain, _push(node, i, chain.factors[0])) for chain in tangent.chains)
        return Jacobian(
            None if own is None else plain(own),
            tuple((plain(column), row) for column, row in outer if column is not None),
            tuple(chain.starting(plain(first)) for chain, first in chains if first is not None),
            tangent.over,
            tangent.by,
        )
    if slope is None:
        return None
    return contracted(slope, tangent)


def _rescaled(node: Expression, i: int, tangent: Jacobian) -> Jacobian | None:
    """Multiply or divide all of a derivative by what is one number for all classes."""
    if node.operator not in {"multiply", "divide"} or (node.operator == "divide" and i == 1):
        return None
    number = node.arguments[1 - i]
    if number.class_axis or number.operator == "constant":
        return None
    if node.operator == "divide":
        return replace(tangent, over=(*tangent.over, number))
    return replace(tangent, by=(*tangent.by, number))


def pullback(expression: Expression, argument: Expression, upstream: Expression) -> Expression:
    """Return the product of a cotangent with the derivative: what reverse mode sends back."""
    slope = derivative(expression, argument)
    if slope is None:
        return ZERO
    if isinstance(slope, Expression):
        product = upstream * slope
        narrows = expression.class_axis and not argument.class_axis
        return simplify(total(product) if narrows else product)
    outer = tuple((row, column) for column, row in slope.outer)
    chains = tuple(chain.transposed for chain in slope.chains)
    back = replace(slope, outer=outer, chains=chains)
    return simplify(times(back, upstream))


def pushforward(expression: Expression, argument: Expression, tangent: Expression) -> Expression:
    """Return the product of the derivative with a tangent: what forward mode sends on."""
    slope = derivative(expression, argument)
    if slope is None:
        return ZERO
    if isinstance(slope, Expression):
        narrows = argument.class_axis and not expression.class_axis
        return simplify(total(slope * tangent) if narrows else slope * tangent)
    return simplify(times(slope, tangent))
