"""Rows of float32 computed in float32: which kernels may, and what changes in their text.

Twice as many numbers of float32 as of float64 fit in a vector, and none has to be converted. What
belongs to a whole row (peaks, sums, what is written once) stays float64.
"""

from __future__ import annotations

from collections.abc import Sequence

from lossary.formula import Expression, apply, variable, walk
from lossary.functions import FUNCTIONS
from lossary.rewriting import rebuild

_PRODUCTS = frozenset({"multiply", "negative"})
"""Operations that lose half an ulp, whatever they are applied to."""


def suits(expression: Expression) -> bool:
    """Whether what belongs to a class of an expression can be computed in float32.

    Each function of a row says so itself, of arguments that are stored; and products keep digits.
    """
    return all(_suits(node) for node in walk(expression))


def _suits(node: Expression) -> bool:
    along = [argument for argument in node.arguments if argument.class_axis]
    named = FUNCTIONS.get(node.operator)
    if named is not None and named.single:
        return not any(argument.arguments for argument in along)
    if not (along or node.class_axis):
        return True
    if node.operator == "pick":
        return not along[0].arguments
    return not node.arguments or node.operator in _PRODUCTS


def in_lanes(roots: Sequence[Expression]) -> list[Expression]:
    """Return expressions of a class whose plain numbers, and those of the row, are float32."""
    done: dict[Expression, Expression] = {}
    for node in walk(*roots):
        if node.operator == "constant":
            done[node] = variable(f"float32({node.payload!r})")
        elif node.operator == "variable" and not node.class_axis:
            done[node] = variable(f"float32({node.payload})")
        elif _is_place(node):
            place = node.arguments[1]
            done[node] = apply(
                "equal", node.arguments[0], variable(f"int32({place.payload})"), class_axis=True
            )
        else:
            done[node] = rebuild(node, tuple(done[a] for a in node.arguments))
    return [done[root] for root in roots]


def places_in(roots: Sequence[Expression]) -> list[Expression]:
    """Return the places, such as a label's, that classes are compared with."""
    found = (node.arguments[1] for node in walk(*roots) if _is_place(node))
    return list(dict.fromkeys(found))


def at(roots: Sequence[Expression], place: Expression | None) -> list[Expression] | None:
    """Return what expressions are for the class at one of the places, or at none of them.

    At none no comparison is left. None for an expression that chooses in another way.
    """
    done: dict[Expression, Expression] = {}
    known: dict[Expression, bool] = {}
    for node in walk(*roots):
        own = [known.get(argument) for argument in node.arguments]
        if _is_place(node) and (place is None or node.arguments[1] is place):
            known[node] = place is not None
        elif node.operator == "logical_and" and False in own:
            known[node] = False
        elif node.operator == "logical_and" and True in own:
            done[node] = done[node.arguments[own.index(True) - 1]]
        elif node.operator == "where" and own[0] is not None:
            done[node] = done[node.arguments[1 if own[0] else 2]]
        elif set(own) - {None}:
            return None
        else:
            done[node] = rebuild(node, tuple(done[a] for a in node.arguments))
    return [done[root] for root in roots] if not known.keys() & set(roots) else None


def _is_place(node: Expression) -> bool:
    return node.operator == "equal" and node.arguments[0].operator == "class_index"
