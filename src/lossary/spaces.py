"""Sums and peaks over positions before a formula goes on: their weights, and what adds up.

A total over positions is a sum with weights: ``total(x)`` means ``sum_u w_u x_u``, where w is 1 for
each position, 0 for a masked one, and any number from 0 that a caller gives. So masks and weights
inside an aggregate are one rule, a table of what each word becomes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lossary.formula import Expression, apply, constant, walk
from lossary.functions import (
    ALONG_AN_ORDER,
    FUNCTIONS,
    ORDERED,
    beyond,
    cosine,
    cosine_gap,
    cumulate,
    earlier_ties,
    excess_from,
    group_peak,
    log,
    logsumexp,
    logsumexp_from,
    next_above,
    norm,
    of_twins,
    peak,
    share_from,
    sqrt,
    tanimoto_gap,
    tied,
    total,
    total_of_others,
    variogram_gap,
    weighted,
    where,
)
from lossary.rewriting import rebuild, simplify

EMPTY = {"zero": 0.0, "one": 1.0, "nan": float("nan")}
"""What a loss is where a sum that its formula divides by is 0, by the word that it declares."""

_MINUS_INFINITY = float("-inf")


def _rooted(w: Expression, x: Expression) -> Expression:
    return weighted(sqrt(w), x)


def _among_others(w: Expression, x: Expression) -> Expression:
    """A member of weight w is w members: all but the one itself are others to it."""
    return total_of_others(weighted(apply("other", w), x)) + weighted(w - 1, of_twins(x))


# What each word along the axis becomes where positions have weights w.
MEASURED: dict[str, Callable[..., Expression]] = {
    "total": lambda w, x: total(weighted(w, x)),
    "class_count": total,
    "peak": lambda w, x: peak(where(w > 0, x, _MINUS_INFINITY)),
    "norm": lambda w, x: norm(_rooted(w, x)),
    "logsumexp": lambda w, x: logsumexp(where(w > 0, x + log(w), _MINUS_INFINITY)),
    "cosine": lambda w, x, y: cosine(_rooted(w, x), _rooted(w, y)),
    "cosine_gap": lambda w, x, y: cosine_gap(_rooted(w, x), _rooted(w, y)),
    "tanimoto_gap": lambda w, x, y: tanimoto_gap(_rooted(w, x), _rooted(w, y)),
    "cumulate": lambda w, x, by: cumulate(weighted(w, x), by),
    "beyond": lambda w, x, by: beyond(weighted(w, x), by),
    "tied": lambda w, x, by: tied(weighted(w, x), by),
    "next_above": lambda w, x, by: next_above(weighted(w, x), by),
    "logsumexp_from": lambda w, x, by: logsumexp_from(
        where(w > 0, x + log(w), _MINUS_INFINITY), by
    ),
    "excess_from": lambda w, x, weight, by: excess_from(x, w * weight, by),
    "share_from": lambda w, x, weight, by: share_from(x, w * weight, by),
    "variogram_gap": lambda w, x, y, weight, *rest: variogram_gap(x, y, w * weight, *rest),
    "group_peak": lambda w, x, group: group_peak(where(w > 0, x, _MINUS_INFINITY), group),
    "rank": lambda w, x: 1 + beyond(w, x) + earlier_ties(w, x),
    "total_of_others": _among_others,
    "centred": lambda w, x: x - total(weighted(w, x)) / total(w),
    "squared_deviations": lambda w, x: total(
        weighted(w, (x - total(weighted(w, x)) / total(w)) ** 2)
    ),
}


def measured(expression: Expression, weight: Expression) -> Expression:
    """Return the expression with a weight for each position in all that goes over positions."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        arguments = tuple(done[a] for a in node.arguments)
        rule = MEASURED.get(node.operator)
        done[node] = rule(weight, *arguments) if rule else rebuild(node, arguments)
    return simplify(done[expression])


def unmeasured(expression: Expression) -> Expression | None:
    """Return a part that goes over positions and has no meaning where these have weights."""
    for node in walk(expression):
        named = FUNCTIONS.get(node.operator)
        along = named is not None and named.shape != "elementwise"
        if (along or node.operator in ORDERED | {"argpeak", "pick", "class_index"}) and (
            node.operator not in MEASURED
        ):
            return node
    return None


def parts(expression: Expression) -> tuple[Expression, ...] | None:
    """Return the sums over positions that an expression is made of; None if it is not.

    Then it can be computed from those sums, and the sums of several batches add up.
    """
    found: dict[Expression, None] = {}
    stack, seen = [expression], set[Expression]()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.operator == "total" and not _reduces(node.arguments[0]):
            found[node] = None
        elif node.class_axis or node.operator in {"peak", "total"}:
            return None
        elif node.operator == "class_count":
            found[node] = None
        else:
            stack.extend(reversed(node.arguments))
    return tuple(found)


def _reduces(expression: Expression) -> bool:
    return any(n.operator in _WHOLE for n in walk(expression))


_WHOLE = ALONG_AN_ORDER | {"total", "total_of_others", "peak", "class_count"}
"""What needs all positions at once."""

_SHARES = frozenset({"rest_share", "log_share"})
"""Functions that divide by the sum of their arguments."""


def empties(expression: Expression) -> Sequence[Expression]:
    """Return the sums over positions that a formula divides by."""
    found: dict[Expression, None] = {}
    for node in walk(expression):
        if node.axes:
            continue
        if node.operator == "divide":
            divisor = node.arguments[1]
        elif node.operator in _SHARES:
            divisor = simplify(node.arguments[0] + node.arguments[1])
        else:
            continue
        if any(n.operator in MEASURED and n.arguments for n in walk(divisor)):
            found[divisor] = None
    return tuple(found)


def known_empty(expression: Expression, divisors: Sequence[Expression], word: str) -> Expression:
    """Return the expression with its value where a divisor is 0."""
    for divisor in divisors:
        expression = where(divisor == 0, constant(EMPTY[word]), expression)
    return expression
