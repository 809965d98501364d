"""Derivatives and simplification: tables of rules, nothing else.

The derivative with respect to an argument without class axis is an expression. With respect to an
argument x with class axis it is, for a row-shaped expression, the vector of ``d e / d x_k``, and
for a class-shaped expression a :class:`Jacobian`, diagonal plus outer products. The gradient of
a loss is the first, its diagonal Hessian the diagonal of the second.

Kinks: |x|' = 0 at 0, a tie of maximum or minimum gives its derivative to the second argument,
``where`` takes the branch that its condition takes, ``peak`` belongs to the first largest class.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lossary.formula import Expression, apply, constant, walk
from lossary.functions import (
    FUNCTIONS,
    Jacobian,
    argpeak,
    class_count,
    is_class,
    log,
    pick,
    sech_squared,
    sigmoid,
    sign,
    softmax,
    softmax_complement,
    sqrt,
    total,
    weighted,
    where,
)

__all__ = [
    "KINKS",
    "derivative",
    "diagonal_hessian",
    "gradient",
    "pullback",
    "pushforward",
    "simplify",
    "substitute",
]

Tangent = Expression | Jacobian | None

ZERO, ONE = constant(0), constant(1)

KINKS = {
    "absolute": "0 at 0",
    "sign": "0 everywhere",
    "floor": "0 everywhere",
    "maximum": "at a tie, the second argument's",
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
    "absolute": (lambda x: sign(x),),  # noqa: PLW0108  (a row like the others)
    "sign": (lambda x: ZERO,),
    "floor": (lambda x: ZERO,),
    "sqrt": (lambda x: 1 / (2 * sqrt(x)),),
    "exp": (lambda x: apply("exp", x),),
    "expm1": (lambda x: apply("exp", x),),
    "log": (lambda x: 1 / x,),
    "log1p": (lambda x: 1 / (1 + x),),
    "tanh": (lambda x: sech_squared(x),),  # noqa: PLW0108
}

# Primitives that choose or scale a tangent rather than multiply it by a partial derivative.
PUSHES: dict[str, tuple[Callable[..., Expression | None] | None, ...]] = {
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
        lambda t, w, v: t * v,
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
    "less less_equal equal logical_and logical_or logical_not argpeak class_index class_count".split()
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
    return simplify(result)


def derivative(expression: Expression, argument: Expression) -> Tangent:
    """Return the derivative of an expression with respect to a variable; None if it is constant."""
    tangents: dict[Expression, Tangent] = {}
    for node in walk(expression):
        tangents[node] = _tidy(_derive(node, argument, tangents))
    return tangents[expression]


def _derive(node: Expression, argument: Expression, tangents: dict[Expression, Tangent]) -> Tangent:
    if node is argument:
        return Jacobian(ONE) if node.class_axis else ONE
    inner = [tangents[a] for a in node.arguments]
    if node.operator in DISCRETE or all(t is None for t in inner):
        return None
    if not argument.class_axis:
        return _sum(_push(node, i, t) for i, t in enumerate(inner) if isinstance(t, Expression))
    if node.operator in REDUCTIONS:
        return _reduce(node, inner[0])
    return _sum(_through(node, i, t) for i, t in enumerate(inner) if t is not None)


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
        return FUNCTIONS[node.operator].slope(*node.arguments)[i]
    return PARTIALS[node.operator][i](*node.arguments)


def _times(matrix: Jacobian, vector: Expression) -> Expression:
    result = ZERO if matrix.diagonal is None else matrix.diagonal * vector
    for column, row in matrix.outer:
        result = result + column * total(row * vector)
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
        return Jacobian(
            None if own is None else _expression(own),
            tuple((_expression(column), row) for column, row in outer if column is not None),
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
    return result


def _product(left: Jacobian, right: Jacobian) -> Jacobian:
    outer: list[tuple[Expression, Expression]] = []
    if right.diagonal is not None:
        outer += [(column, row * right.diagonal) for column, row in left.outer]
    outer += [(_times(left, column), row) for column, row in right.outer]
    both = left.diagonal is not None and right.diagonal is not None
    return Jacobian(left.diagonal * right.diagonal if both else None, tuple(outer))


def _reduce(node: Expression, tangent: Tangent) -> Tangent:
    if not isinstance(tangent, Jacobian):
        # total of a row-shaped value cannot arise: total needs the class axis.
        return None if tangent is None else _push(node, 0, tangent)
    reduce, keep = REDUCTIONS[node.operator]
    result = ZERO if tangent.diagonal is None else keep(tangent.diagonal, *node.arguments)
    for column, row in tangent.outer:
        result = result + reduce(column, *node.arguments) * row
    return result


def _sum(tangents: Any) -> Tangent:
    kept = [t for t in tangents if t is not None]
    if not kept:
        return None
    if all(isinstance(t, Expression) for t in kept):
        return sum(kept[1:], kept[0])
    jacobians = [t if isinstance(t, Jacobian) else Jacobian(t) for t in kept]
    diagonals = [j.diagonal for j in jacobians if j.diagonal is not None]
    outer = tuple(term for j in jacobians for term in j.outer)
    return Jacobian(sum(diagonals[1:], diagonals[0]) if diagonals else None, outer)


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
    return None if own is None and not outer else Jacobian(own, outer)


def pullback(expression: Expression, argument: Expression, upstream: Expression) -> Expression:
    """Return the product of a cotangent with the derivative: what reverse mode sends back."""
    slope = derivative(expression, argument)
    if slope is None:
        return ZERO
    if isinstance(slope, Expression):
        product = upstream * slope
        narrows = expression.class_axis and not argument.class_axis
        return simplify(total(product) if narrows else product)
    transposed = Jacobian(slope.diagonal, tuple((row, column) for column, row in slope.outer))
    return simplify(_times(transposed, upstream))


def pushforward(expression: Expression, argument: Expression, tangent: Expression) -> Expression:
    """Return the product of the derivative with a tangent: what forward mode sends on."""
    slope = derivative(expression, argument)
    if slope is None:
        return ZERO
    if isinstance(slope, Expression):
        narrows = argument.class_axis and not expression.class_axis
        return simplify(total(slope * tangent) if narrows else slope * tangent)
    return simplify(_times(slope, tangent))


def substitute(expression: Expression, replacements: dict[Expression, Expression]) -> Expression:
    """Replace nodes, and rebuild what rests on them."""
    done = dict(replacements)
    for node in walk(expression):
        if node not in done:
            done[node] = rebuild(node, tuple(done[a] for a in node.arguments))
    return done[expression]


def rebuild(node: Expression, arguments: tuple[Expression, ...]) -> Expression:
    """Return the node with other arguments."""
    same = all(new is old for new, old in zip(arguments, node.arguments, strict=True))
    return node if same else apply(node.operator, *arguments, class_axis=node.class_axis)


# Simplification. Every rule holds for real numbers; ``0 * x -> 0`` and ``x - x -> 0`` would hide
# a NaN of x, and are safe here because zeros come from masks and constants of our own rules.

FOLDS: dict[str, Callable[..., float]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y if y else math.copysign(math.inf, x) if x else math.nan,
    "negative": lambda x: 0.0 - x,
    "power": lambda x, p: x**p,
    "maximum": max,
    "minimum": min,
    "absolute": abs,
    "weighted": lambda w, v: w * v if w else 0.0,
}

# Functions whose size is at most 1, so that a weight of 0 needs no guard.
BOUNDED = frozenset(
    {"sigmoid", "sigmoid_power", "tanh", "sign", "softmax", "softmax_complement", "softmax_residual"}
)

COMPLEMENTS: dict[str, Callable[..., Expression]] = {
    "sigmoid": lambda x: sigmoid(-x),
    "softmax": softmax_complement,
    "softmax_complement": softmax,
}


def simplify(expression: Expression) -> Expression:
    """Rewrite bottom-up until no rule applies."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        done[node] = _settle(rebuild(node, tuple(done[a] for a in node.arguments)))
    return done[expression]


_settled: dict[Expression, Expression] = {}


def _settle(node: Expression) -> Expression:
    """Apply rules at one node, and within what they build, until none applies."""
    found = _settled.get(node)
    if found is not None:
        return found
    start = node
    while (better := _rewrite(node)) is not None:
        node = rebuild(better, tuple(_settle(a) for a in better.arguments))
    _settled[start] = node
    return node


def _rewrite(node: Expression) -> Expression | None:
    fold = FOLDS.get(node.operator)
    if fold and all(a.operator == "constant" for a in node.arguments):
        return constant(fold(*(a.payload for a in node.arguments)))
    for rule in RULES.get(node.operator, ()):
        better = rule(*node.arguments)
        if better is not None and better is not node:
            return better
    return None


def _is(node: Expression, operator: str) -> bool:
    return node.operator == operator


def _is_constant(node: Expression) -> bool:
    return node.operator == "constant"


def _negated(x: Expression) -> Expression | None:
    """Return -x if that is at hand without a new node around x."""
    if _is(x, "negative"):
        return x.arguments[0]
    if _is_constant(x) and isinstance(x.payload, float) and x.payload < 0:
        return constant(-x.payload)
    return None


def _merge_where(operator: str) -> Callable[[Expression, Expression], Expression | None]:
    """Two ``where`` with one condition become one: where(c, a, b) + where(c, d, e)."""

    def rule(x: Expression, y: Expression) -> Expression | None:
        if not (_is(x, "where") and _is(y, "where") and x.arguments[0] is y.arguments[0]):
            return None
        condition, a, b = x.arguments
        _, c, d = y.arguments
        return where(condition, apply(operator, a, c), apply(operator, b, d))

    return rule


def _mask_inside(operator: str) -> Callable[[Expression, Expression], Expression | None]:
    """A mask moves inside a product: where(c, a, 0) * y becomes where(c, a * y, 0)."""

    def rule(x: Expression, y: Expression) -> Expression | None:
        if not _is(x, "where"):
            return None
        condition, a, b = x.arguments
        if not (a is ZERO or b is ZERO):
            return None
        return where(condition, apply(operator, a, y), apply(operator, b, y))

    return rule


def _add(x: Expression, y: Expression) -> Expression | None:
    if x is ZERO:
        return y
    if y is ZERO:
        return x
    if (minus := _negated(y)) is not None:
        return x - minus
    if (minus := _negated(x)) is not None:
        return y - minus
    return 2 * x if x is y else None


def _factor(sign_of_second: int) -> Callable[[Expression, Expression], Expression | None]:
    """P + p b and p - p b become p (1 + b) and p (1 - b), the form that complements resolve."""

    def rule(x: Expression, y: Expression) -> Expression | None:
        if _is(y, "multiply") and x.operator in COMPLEMENTS and any(a is x for a in y.arguments):
            other = y.arguments[1] if y.arguments[0] is x else y.arguments[0]
            return x * (1 + other if sign_of_second > 0 else 1 - other)
        return None

    return rule


def _signs(x: Expression) -> tuple[Expression, Expression] | None:
    """Split a product into a choice between two constants, such as a sign, and the rest."""
    if not _is(x, "multiply"):
        return None
    for choice, rest in (x.arguments, x.arguments[::-1]):
        if _is(choice, "where") and all(_is_constant(a) for a in choice.arguments[1:]):
            return choice, rest
    if _is_constant(x.arguments[0]) and (inner := _signs(x.arguments[1])):
        return inner[0], x.arguments[0] * inner[1]
    return None


def _common_sign(operator: str) -> Callable[[Expression, Expression], Expression | None]:
    """S a + s b becomes s (a + b), where s chooses between two constants."""

    def rule(x: Expression, y: Expression) -> Expression | None:
        first, second = _signs(x), _signs(y)
        if first and second and first[0] is second[0]:
            return first[0] * apply(operator, first[1], second[1])
        return None

    return rule


def _sign_outwards(x: Expression, y: Expression) -> Expression | None:
    """(s a) b becomes s (a b), so that common signs meet; constants stay in front."""
    if _is_constant(x) or _is_constant(y):
        return None
    if (parts := _signs(x)) and not _signs(y) and not _is(y, "where"):
        return parts[0] * (parts[1] * y)
    if (parts := _signs(y)) and not _signs(x) and not _is(x, "where"):
        return parts[0] * (x * parts[1])
    return None


def _subtract(x: Expression, y: Expression) -> Expression | None:
    if y is ZERO:
        return x
    if x is ZERO:
        return -y
    if x is y:
        return ZERO
    if (minus := _negated(y)) is not None:
        return x + minus
    if x is ONE and y.operator in COMPLEMENTS:
        return COMPLEMENTS[y.operator](*y.arguments)
    return None


def _multiply(x: Expression, y: Expression) -> Expression | None:
    if x is ZERO or y is ZERO:
        return ZERO
    if x is ONE:
        return y
    if y is ONE:
        return x
    return None


def _multiply_signs(x: Expression, y: Expression) -> Expression | None:
    if _is(x, "negative"):
        return -(x.arguments[0] * y)
    if _is(y, "negative"):
        return -(x * y.arguments[0])
    if _is_constant(x) and x.payload == -1:
        return -y
    if _is_constant(y) and y.payload == -1:
        return -x
    return None


def _multiply_constants(x: Expression, y: Expression) -> Expression | None:
    """Constants go to the front and fold: (2 x) / 2, 2 (x / 2)."""
    if _is_constant(y) and not _is_constant(x):
        return y * x
    if _is_constant(x) and _is(y, "multiply") and _is_constant(y.arguments[0]):
        return (x * y.arguments[0]) * y.arguments[1]
    if _is_constant(x) and _is(y, "divide") and _is_constant(y.arguments[1]):
        return (x / y.arguments[1]) * y.arguments[0]
    if _is(y, "divide") and y.arguments[0] is ONE:
        return x / y.arguments[1]
    if _is(x, "divide") and x.arguments[0] is ONE:
        return y / x.arguments[1]
    # A factor below 1 stays inside: moved out, the product left behind could overflow.
    if _is(y, "multiply") and _is_at_least_one(y.arguments[0]):
        return y.arguments[0] * (x * y.arguments[1])
    if _is(x, "multiply") and _is_at_least_one(x.arguments[0]):
        return x.arguments[0] * (x.arguments[1] * y)
    return None


def _is_at_least_one(x: Expression) -> bool:
    return _is_constant(x) and isinstance(x.payload, float) and abs(x.payload) >= 1


# Dividing by a power of two and multiplying by its reciprocal give the same bits.
_EXACT_DIVISORS = {2.0, 4.0, 8.0}


def _divide(x: Expression, y: Expression) -> Expression | None:
    if x is ZERO:
        return ZERO
    if y is ONE:
        return x
    if _is(x, "negative"):
        return -(x.arguments[0] / y)
    if _is_constant(y) and y.payload in _EXACT_DIVISORS:
        return (1 / y) * x
    if _is_constant(y) and _is(x, "multiply") and _is_constant(x.arguments[0]):
        return (x.arguments[0] / y) * x.arguments[1]
    if (
        _is(x, "multiply")
        and _is(y, "multiply")
        and _is_constant(x.arguments[0])
        and x.arguments[0] is y.arguments[0]
    ):
        return x.arguments[1] / y.arguments[1]
    return None


def _negative(x: Expression) -> Expression | None:
    if _is(x, "negative"):
        return x.arguments[0]
    if _is(x, "subtract"):
        return x.arguments[1] - x.arguments[0]
    if _is(x, "log_sigmoid"):
        return apply("softplus", -x.arguments[0])
    return None


def _negative_where(x: Expression) -> Expression | None:
    if _is(x, "where"):
        condition, a, b = x.arguments
        if a is ZERO or b is ZERO or (_negated(a) is not None and _negated(b) is not None):
            return where(condition, -a, -b)
    return None


def _power(x: Expression, p: Expression) -> Expression | None:
    if p is ONE:
        return x
    if p is ZERO:
        return ONE
    return None


def _where(condition: Expression, x: Expression, y: Expression) -> Expression | None:
    if x is y:
        return x
    if _is(condition, "logical_not"):
        return where(condition.arguments[0], y, x)
    if _is(x, "where") and x.arguments[0] is condition:
        return where(condition, x.arguments[1], y)
    if _is(y, "where") and y.arguments[0] is condition:
        return where(condition, x, y.arguments[2])
    return None


def _weighted(w: Expression, v: Expression) -> Expression | None:
    if w is ZERO or v is ZERO:
        return ZERO
    if _is_constant(w):
        return w * v
    if _is_constant(v) and isinstance(v.payload, float) and math.isfinite(v.payload):
        return w * v
    if _is(v, "negative"):
        return -weighted(w, v.arguments[0])
    if _is(w, "negative"):
        return -weighted(w.arguments[0], v)
    if _is_bounded(v):
        return w * v
    return None


def _is_bounded(v: Expression) -> bool:
    if v.operator in {"multiply", "negative"}:
        return all(_is_bounded(a) for a in v.arguments)
    return v.operator in BOUNDED


def _same_everywhere(x: Expression, *_: Expression) -> Expression | None:
    """Each class holds the same number: its peak, or the entry of any class."""
    return None if x.class_axis else x


def _total(x: Expression) -> Expression | None:
    if x is ZERO:
        return ZERO
    if not x.class_axis:
        return class_count() * x
    if _is(x, "negative"):
        return -total(x.arguments[0])
    return None


Rule = Callable[..., Expression | None]

RULES: dict[str, tuple[Rule, ...]] = {
    "add": (_add, _merge_where("add"), _factor(+1), _common_sign("add")),
    "subtract": (_subtract, _merge_where("subtract"), _factor(-1), _common_sign("subtract")),
    "multiply": (
        _multiply,
        _multiply_signs,
        _multiply_constants,
        _merge_where("multiply"),
        _mask_inside("multiply"),
        lambda x, y: _mask_inside("multiply")(y, x),
        _sign_outwards,
    ),
    "divide": (_divide, _mask_inside("divide")),
    "negative": (_negative, _negative_where),
    "power": (_power,),
    "where": (_where,),
    "weighted": (_weighted,),
    "total": (_total,),
    "peak": (_same_everywhere,),
    "pick": (_same_everywhere,),
    "absolute": (lambda x: abs(x.arguments[0]) if _is(x, "negative") else None,),
    "sign": (lambda x: -sign(x.arguments[0]) if _is(x, "negative") else None,),
}
