"""From named functions to primitives, and from formulas of pairs to what belongs to each member."""

from __future__ import annotations

from itertools import product

from lossary.formula import Expression, apply, bottom_up, constant, walk
from lossary.functions import FUNCTIONS, ORDERED, where
from lossary.rewriting import rebuild, simplify


def lower(
    expression: Expression, *, spare: bool = False, holding: bool = False, single: bool = False
) -> Expression:
    """Replace named functions by how they are computed, until only primitives are left.

    With precision to spare, float64 for float32 say, corrections of roundings are left out. What
    is held stays marked, ``holding``, for a text that a library may differentiate itself. In rows
    of float32, ``single``, an exponential below the peak is a word of its own.
    """
    done = _lowered[spare, holding, single]

    def step(node: Expression) -> Expression:
        arguments = [done[a] for a in node.arguments]
        if node.operator == "exp_difference" and single and node.class_axis:
            return rebuild(node, arguments)
        if node.operator in FUNCTIONS:
            computed = FUNCTIONS[node.operator].computed(*arguments)
            return lower(computed, spare=spare, holding=holding, single=single)
        if node.operator == "held" and not (holding and _depends(arguments[0])):
            return arguments[0]
        if node.operator == "rounding":
            return constant(0) if spare else arguments[0]
        if node.operator in ORDERED:
            return rebuild(node, (*arguments[:-1], _order(arguments[-1])))
        if node.operator == "weighted":
            weight, value = arguments
            return where(weight == 0, 0, weight * value)
        return rebuild(node, arguments)

    return simplify(bottom_up(expression, done, step))


# What each expression is computed by, without and with precision to spare, and marks.
_lowered: dict[tuple[bool, ...], dict[Expression, Expression]] = {
    asked: {} for asked in product((False, True), repeat=3)
}


def _depends(expression: Expression) -> bool:
    """Whether an expression is made of more than plain numbers."""
    return any(node.operator == "variable" for node in walk(expression))


def _order(key: Expression) -> Expression:
    """Return the order of a key, which is sorted once; what is lowered already has one."""
    if key.operator == "within":  # of the groups alone where all of a group tie
        by, group = key.arguments
        by = by if by.class_axis else group
        return apply("order_within", by, group, class_axis=True)
    found = key.operator in {"order", "order_within"}
    return key if found else apply("order", key, class_axis=True)


def laid_out(expression: Expression) -> Expression:
    """Say in a formula of pairs what belongs to the one member, and to neither.

    What belongs to the other alone is computed for each member, before there are pairs.
    """
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        arguments = [done[a] for a in node.arguments]
        if node.paired and all(a.operator == "other" or not a.class_axis for a in arguments):
            parts = [a.arguments[0] if a.operator == "other" else a for a in arguments]
            done[node] = apply("other", rebuild(node, parts))
            continue
        if (node.paired and node.operator != "other") or node.operator == "total_of_others":
            arguments = [
                a if a.paired or a.operator == "constant" else apply("own", a) for a in arguments
            ]
        done[node] = rebuild(node, arguments)
    return done[expression]
