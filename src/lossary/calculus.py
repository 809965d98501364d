"""Derivatives: tables of rules, nothing else.

The derivative with respect to an argument without class axis is an expression. With respect to an
argument x with class axis it is, for a row-shaped expression, the vector of ``d e / d x_k``, and
for a class-shaped expression a :class:`Jacobian`, diagonal plus outer products. The gradient of
a loss is the first, its diagonal Hessian the diagonal of the second.

Kinks: |x|' = 0 at 0, a tie of maximum or minimum gives its derivative to the second argument,
``where`` takes the branch that its condition takes, ``peak`` belongs to the first largest class.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from inspect import signature
from operator import add
from typing import Any

from lossary.formula import Expression, apply, bottom_up, constant, variable
from lossary.functions import (
    FUNCTIONS,
    ORDERED_SLOPES,
    Jacobian,
    argpeak,
    is_class,
    log,
    other,
    paired,
    parts_of,
    pick,
    sech_squared,
    sign,
    sqrt,
    total,
    total_of_others,
    weighted,
    where,
)
from lossary.identities import stable
from lossary.rewriting import ONE, ZERO, simplify, substitute

Tangent = Expression | Jacobian | None

KINKS = {
    "absolute": "0 at 0",
    "sign": "0 everywhere",
    "floor": "0 everywhere",
    "maximum": "at a tie, the second argument's; in a loss a number counts as the second",
    "minimum": "at a tie, the second argument's",
    "where": "that of the branch taken",
    "peak": "that of the first largest class",
}

# Partial derivative of each smooth primitive with respect to each argument.
PARTIALS: dict[str, tuple[Callable[..., Expression], ...]] = {
    "add": (lambda x, y: ONE, lambda x, y: ONE),
    "subtract": (lambda x, y: ONE, lambda x, y: constant(-1)),
    "multiply": (lambda x, y: y, lambda x, y: x),
    "divide": (lambda x, y: 1 / y, lambda x, y: -(x / y) / y),
    "negative": (lambda x: constant(-1),),
    "power": (lambda x, p: p * x ** (p - 1), lambda x, p: weighted(x**p, log(x))),
    "sign": (lambda x: ZERO,),
    "floor": (lambda x: ZERO,),
    "sqrt": (lambda x: 1 / (2 * sqrt(x)),),
    "exp": (lambda x: apply("exp", x),),
    "expm1": (lambda x: apply("exp", x),),
    "log": (lambda x: 1 / x,),
    "log1p": (lambda x: 1 / (1 + x),),
    "tanh": (lambda x: sech_squared(x),),  # noqa: PLW0108
    "sin": (lambda x: apply("cos", x),),
    "cos": (lambda x: -apply("sin", x),),
}

# Primitives that choose or scale a tangent rather than multiply it by a partial derivative.
PUSHES: dict[str, tuple[Callable[..., Expression | None] | None, ...]] = {
    "absolute": (lambda t, x: weighted(sign(x), t),),  # 0 at 0, also of an infinite slope
    "maximum": (
        lambda t, x, y: where(y < x, t, ZERO),
        lambda t, x, y: where(y < x, ZERO, t),
    ),
    "minimum": (
        lambda t, x, y: where(x < y, t, ZERO),
        lambda t, x, y: where(x < y, ZERO, t),
    ),
    "where": (
        None,
        lambda t, c, x, y: where(c, t, ZERO),
        lambda t, c, x, y: where(c, ZERO, t),
    ),
    "weighted": (
        lambda t, w, v: weighted(t, v),
        lambda t, w, v: weighted(w, t),
    ),
}

# Primitives along the class axis: what reduces a column, and which entries the diagonal keeps.
REDUCTIONS: dict[str, tuple[Callable[..., Expression], Callable[..., Expression]]] = {
    "total": (lambda v, x: total(v), lambda d, x: d),
    "peak": (
        lambda v, x: pick(v, argpeak(x)),
        lambda d, x: where(is_class(argpeak(x)), d, ZERO),
    ),
    "pick": (
        lambda v, x, label: pick(v, label),
        lambda d, x, label: where(is_class(label), d, ZERO),
    ),
}

DISCRETE = frozenset(
    [
        "less",
        "less_equal",
        "equal",
        "logical_and",
        "logical_or",
        "logical_not",
        "argpeak",
        "class_index",
        "class_count",
        "held",
        "peak_from",
        "earlier_ties",
        "within",
    ]
)


def gradient(loss: Expression, argument: Expression) -> Expression:
    """Return the derivative of a loss, one number per entry of the argument."""
    slope = derivative(loss, argument)
    if isinstance(slope, Jacobian):
        raise TypeError("a loss has one number per row; reduce it with total, peak or pick")
    return ZERO if slope is None else slope


def diagonal_hessian(loss: Expression, argument: Expression) -> Expression:
    """Return the second derivative of a loss in each entry of the argument."""
    return diagonal(derivative(gradient(loss, argument), argument))


def diagonal(tangent: Tangent) -> Expression:
    """Return the entries ``d e_k / d x_k`` of a derivative."""
    if tangent is None:
        return ZERO
    if isinstance(tangent, Expression):
        return tangent
    result = ZERO if tangent.diagonal is None else tangent.diagonal
    for column, row in tangent.outer:
        result = result + column * row
    for chain in tangent.chains:
        result = result + chain.diagonal
    return simplify(result)


def derivative(expression: Expression, argument: Expression) -> Tangent:
    """Return the derivative of an expression with respect to a variable; None if it is constant."""
    tangents = _tangents.setdefault(argument, {})
    return bottom_up(expression, tangents, lambda node: _tidy(_derive(node, argument, tangents)))


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
        return _sum(_push(node, i, t) for i, t in enumerate(inner) if isinstance(t, Expression))
    if node.operator in REDUCTIONS:
        return _reduce(node, inner[0])
    return _sum(_through(node, i, t) for i, t in enumerate(inner) if t is not None)


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
            found.append(_product(link if of_other else own, tangent))
        elif argument.class_axis:
            found.append(Jacobian(None, ((total_of_others(entries), tangent),)))
        else:
            along = other(tangent) if of_other and tangent.class_axis else tangent
            found.append(total_of_others(entries * along))
    return _sum(found)


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
        return _times(slope, tangent)
    if slope is None:
        return None
    reduces = node.arguments[i].class_axis and not node.class_axis
    return total(slope * tangent) if reduces else tangent * slope


def _slope(node: Expression, i: int) -> Tangent:
    if node.operator in FUNCTIONS:
        return slopes(node.operator, *node.arguments)[i]
    if node.operator in ORDERED_SLOPES:
        return ORDERED_SLOPES[node.operator](*node.arguments)[i]
    return PARTIALS[node.operator][i](*node.arguments)


def slopes(name: str, *arguments: Expression) -> tuple[Tangent, ...]:
    """Return the derivatives of a named function in each argument, as they are computed."""
    by_hand = FUNCTIONS[name].slope
    return by_hand(*arguments) if by_hand else slopes_of_meaning(name, *arguments)


def slopes_of_meaning(name: str, *arguments: Expression) -> tuple[Tangent, ...]:
    """Return the derivatives of what a named function means, in the form that is computed."""
    by_entry = FUNCTIONS[name].shape == "elementwise"
    rows = tuple(not by_entry and argument.class_axis for argument in arguments)
    symbols, found = _derived(name, rows)
    known = dict(zip(symbols, arguments, strict=True))
    return tuple(_each(slope, lambda part: substitute(part, known)) for slope in found)


@cache
def _derived(
    name: str, rows: tuple[bool, ...]
) -> tuple[tuple[Expression, ...], tuple[Tangent, ...]]:
    """Return symbols, and the derivatives of a meaning by them, in the form that is computed."""
    function = FUNCTIONS[name]
    words = signature(function.computed).parameters
    symbols = tuple(variable(w, class_axis=row) for w, row in zip(words, rows, strict=True))
    means: Any = function.means  # there is one where no slope is given
    meaning = means(*symbols)
    found = (derivative(meaning, symbol) for symbol in symbols)
    return symbols, tuple(_unsigned(_each(slope, lambda part: stable(part, {}))) for slope in found)


def _unsigned(tangent: Tangent) -> Tangent:
    """Two signs of an outer product are none."""
    if not isinstance(tangent, Jacobian):
        return tangent
    outer = (
        (c.arguments[0], r.arguments[0]) if c.operator == r.operator == "negative" else (c, r)
        for c, r in tangent.outer
    )
    return Jacobian(tangent.diagonal, tuple(outer), tangent.chains)


def _each(tangent: Tangent, change: Callable[[Expression], Expression]) -> Tangent:
    """Change each expression that a derivative consists of."""
    if not isinstance(tangent, Jacobian):
        return None if tangent is None else change(tangent)
    own = None if tangent.diagonal is None else change(tangent.diagonal)
    outer = tuple((change(column), change(row)) for column, row in tangent.outer)
    return Jacobian(own, outer, tuple(chain.each(change) for chain in tangent.chains))


def _times(matrix: Jacobian, vector: Expression) -> Expression:
    result = ZERO if matrix.diagonal is None else matrix.diagonal * vector
    for column, row in matrix.outer:
        result = result + column * total(row * vector)
    for chain in matrix.chains:
        result = result + chain.times(vector)
    return result


def _through(node: Expression, i: int, tangent: Expression | Jacobian) -> Tangent:
    """Chain rule with respect to an argument that has a class axis."""
    if isinstance(tangent, Expression):  # argument i is row-shaped: its vector d a / d x_k
        if not node.class_axis:
            return _push(node, i, tangent)
        column = _push(node, i, ONE)
        return None if column is None else Jacobian(None, ((_expression(column), tangent),))
    slope = None if node.operator in PUSHES else _slope(node, i)
    if isinstance(slope, Jacobian):
        return _product(slope, tangent)
    if node.class_axis:
        own = None if tangent.diagonal is None else _push(node, i, tangent.diagonal)
        outer = ((_push(node, i, column), row) for column, row in tangent.outer)
        chains = ((chain, _push(node, i, chain.factors[0])) for chain in tangent.chains)
        return Jacobian(
            None if own is None else _expression(own),
            tuple((_expression(column), row) for column, row in outer if column is not None),
            tuple(
                chain.starting(_expression(first)) for chain, first in chains if first is not None
            ),
        )
    if slope is None:
        return None
    return _contract(slope, tangent)


def _expression(tangent: Tangent) -> Expression:
    if not isinstance(tangent, Expression):
        raise TypeError(f"expected one number per entry, got {tangent!r}")
    return tangent


def _contract(slope: Expression, inner: Jacobian) -> Expression:
    """Return slope^T J for a row-shaped function of a class-shaped argument."""
    result = ZERO if inner.diagonal is None else slope * inner.diagonal
    for column, row in inner.outer:
        result = result + total(slope * column) * row
    for chain in inner.chains:
        result = result + chain.transposed.times(slope)
    return result


def _product(left: Jacobian, right: Jacobian) -> Jacobian:
    outer: list[tuple[Expression, Expression]] = []
    if right.diagonal is not None:
        outer += [(column, row * right.diagonal) for column, row in left.outer]
    outer += [(_times(left, column), row) for column, row in right.outer]
    outer += [(c, chain.transposed.times(row)) for c, row in left.outer for chain in right.chains]
    chains = [one.then(other) for one in left.chains for other in right.chains]
    own = None
    if left.diagonal is not None:
        chains += [chain.before(left.diagonal) for chain in right.chains]
    if right.diagonal is not None:
        chains += [chain.after(right.diagonal) for chain in left.chains]
    if left.diagonal is not None and right.diagonal is not None:
        own = left.diagonal * right.diagonal
    return Jacobian(own, tuple(outer), tuple(chains))


def _reduce(node: Expression, tangent: Tangent) -> Tangent:
    if not isinstance(tangent, Jacobian):
        raise TypeError(f"{node} reduces what has no class axis, and should have been simplified")
    narrow, keep = REDUCTIONS[node.operator]
    result = ZERO if tangent.diagonal is None else keep(tangent.diagonal, *node.arguments)
    for column, row in tangent.outer:
        result = result + narrow(column, *node.arguments) * row
    for chain in tangent.chains:
        result = result + chain.transposed.times(keep(ONE, *node.arguments))
    return result


def _sum(tangents: Any) -> Tangent:
    kept = [t for t in tangents if t is not None]
    if not kept:
        return None
    if all(isinstance(t, Expression) for t in kept):
        return reduce(add, kept)
    jacobians = [t if isinstance(t, Jacobian) else Jacobian(t) for t in kept]
    diagonals = [j.diagonal for j in jacobians if j.diagonal is not None]
    outer = tuple(term for j in jacobians for term in j.outer)
    chains = tuple(chain for j in jacobians for chain in j.chains)
    return Jacobian(reduce(add, diagonals) if diagonals else None, outer, chains)


def _tidy(tangent: Tangent) -> Tangent:
    if isinstance(tangent, Expression):
        tangent = simplify(tangent)
        return None if tangent is ZERO else tangent
    if tangent is None:
        return None
    own = None if tangent.diagonal is None else simplify(tangent.diagonal)
    columns: dict[Expression, Expression] = {}
    for column, row in tangent.outer:
        tidy = simplify(row)
        columns[tidy] = columns[tidy] + column if tidy in columns else column
    outer = tuple((simplify(column), row) for row, column in columns.items())
    outer = tuple((c, r) for c, r in outer if c is not ZERO and r is not ZERO)
    own = None if own is ZERO else own
    chains = (chain.each(simplify) for chain in tangent.chains)
    chains = tuple(chain for chain in chains if all(f is not ZERO for f in chain.factors))
    return None if own is None and not outer and not chains else Jacobian(own, outer, chains)


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
    return simplify(_times(Jacobian(slope.diagonal, outer, chains), upstream))


def pushforward(expression: Expression, argument: Expression, tangent: Expression) -> Expression:
    """Return the product of the derivative with a tangent: what forward mode sends on."""
    slope = derivative(expression, argument)
    if slope is None:
        return ZERO
    if isinstance(slope, Expression):
        narrows = argument.class_axis and not expression.class_axis
        return simplify(total(slope * tangent) if narrows else slope * tangent)
    return simplify(_times(slope, tangent))
