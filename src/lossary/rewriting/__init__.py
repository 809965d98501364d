"""Rewriting expressions: substitution, and simplification by tables of rules."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_

import numpy as np

from lossary.formula import Expression, apply, bottom_up, constant
from lossary.functions import FUNCTIONS, ORDERED
from lossary.rewriting.rules import FOLDS, ONE, RULES, ZERO


def substitute(expression: Expression, replacements: dict[Expression, Expression]) -> Expression:
    """Replace nodes, and rebuild what rests on them."""
    done = dict(replacements)
    return bottom_up(
        expression, done, lambda node: rebuild(node, [done[a] for a in node.arguments])
    )


def is_bracket(node: Expression) -> bool:
    """Whether a node is 1 for one class and 0 for the others: Iverson's bracket."""
    if node.operator != "where" or node.arguments[0].operator != "equal":
        return False
    condition, one, zero = node.arguments
    return condition.arguments[0].operator == "class_index" and one is ONE and zero is ZERO


def rebuild(node: Expression, arguments: Sequence[Expression]) -> Expression:
    """Return the node with other arguments, which may have lost the class axis."""
    if all(map(is_, arguments, node.arguments)):
        return node
    named = FUNCTIONS.get(node.operator)
    fixed = node.operator in _ALONG_CLASSES or (named and named.shape != "elementwise")
    return apply(node.operator, *arguments, class_axis=node.class_axis if fixed else None)


# Primitives that end the class axis, or start it.
_ALONG_CLASSES = frozenset(
    {
        "total", "peak", "argpeak", "pick", "class_index", "class_count", "slope", "bend", "order",
        "order_within", "total_of_others",
    }
    | ORDERED
)  # fmt: skip


def simplify(expression: Expression) -> Expression:
    """Rewrite bottom-up until no rule applies."""
    return bottom_up(expression, _simple, _simplified)


def _simplified(node: Expression) -> Expression:
    return _settle(rebuild(node, [_simple[a] for a in node.arguments]))


# What became of each expression; equal ones are one object, so that each is rewritten once.
_simple: dict[Expression, Expression] = {}
_settled: dict[Expression, Expression] = {}


def _settle(node: Expression) -> Expression:
    """Apply rules at one node, and within what they build, until none applies."""
    found = _settled.get(node)
    if found is not None:
        return found
    start = node
    while (better := _rewrite(node)) is not None:
        node = rebuild(better, [_settle(a) for a in better.arguments])
    _settled[start] = node
    return node


def _rewrite(node: Expression) -> Expression | None:
    fold = FOLDS.get(node.operator)
    if fold and all(a.operator == "constant" for a in node.arguments):
        with np.errstate(all="ignore"):
            return constant(float(fold(*(np.float64(a.payload or 0) for a in node.arguments))))
    for rule in RULES.get(node.operator, ()):
        better = rule(*node.arguments)
        if better is not None and better is not node:
            return better
    return None
