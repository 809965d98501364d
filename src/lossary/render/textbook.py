"""Formulas as a textbook has them: named functions are replaced by what they mean.

How a function is computed is the engine's concern; a reader wants log(1 + exp(z)), not a sum of a
maximum and a correction. A few functions keep their names: those that textbooks name too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

from lossary.formula import Expression, apply, constant, variable, walk
from lossary.functions import FUNCTIONS, exp, log, parts_of
from lossary.rewriting import rebuild, simplify, substitute

# Functions of numbers, and functions of whole rows. The second kind has a value per row, the third
# a value per class, which carries the index.
CALLS = {
    "sign": "sgn({0})", "floor": "⌊{0}⌋", "sqrt": "√({0})", "exp": "exp({0})", "log": "log({0})",
    "tanh": "tanh({0})", "sigmoid": "σ({0})", "log_sigmoid": "log σ({0})",
    "absolute": "|{0}|",
    "asinh": "asinh({0})", "cosh": "cosh({0})", "sinh": "sinh({0})",
    "sin": "sin({0})", "cos": "cos({0})",
    "atan": "atan({0})", "acos": "acos({0})", "lgamma": "log Γ({0})", "digamma": "ψ({0})",
    "trigamma": "ψ′({0})", "erf": "erf({0})", "erfc": "erfc({0})", "ndtr": "Φ({0})",
    "log_ndtr": "log Φ({0})", "i0e": "exp(-|{0}|) I₀({0})", "i1e": "exp(-|{0}|) I₁({0})",
    "gammainc": "P({0}, {1})", "gammaincc": "Q({0}, {1})",
    "betainc": "I({2}; {0}, {1})",
    "held": "held({0})", "maximum": "max({0}, {1})", "minimum": "min({0}, {1})",
}  # fmt: skip
ROW_CALLS = {"norm": "‖{0}‖", "cosine": "cos({0}, {1})", "tempered_normalizer": "λ_{1}({0})"}
CLASS_CALLS = {"softmax": "softmax({0})", "log_softmax": "log softmax({0})",
               "sparsemax": "sparsemax({0})", "rank": "rank({0})",
               "entmax_root": "√entmax({0})", "tempered_softmax": "softmax_{1}({0})"}  # fmt: skip

# Sums along an order: how the key of a member that belongs to i compares with that of i, and
# whether i itself is left out, or all but those that stand before it.
RANKED = {
    "cumulate": (">=", ""), "beyond": (">", ""), "tied": ("=", ""), "peak_from": (">=", ""),
    "others_from": (">=", "others"), "other_ties": ("=", "others"), "earlier_ties": ("=", "before"),
    "next_above": ("= 1 +", ""),
    "others_from_exp": (">=", "others"), "beyond_exp": (">", ""),
    "other_ties_exp": ("=", "others"),
}  # fmt: skip


_TURNED = {">=": "<=", ">": "<", "=": "=", "= 1 +": "= -1 +"}


def comparisons(node: Expression) -> list[tuple[Expression, str]]:
    """Return what of a member of a sum is compared with that of member i, and how."""
    relation, _ = RANKED[node.operator]
    key, found = node.arguments[-1], list[tuple[Expression, str]]()
    if key.operator == "within":
        key, group = key.arguments
        found = [(group, "=")]
        if not key.class_axis:  # all of a group tie
            return found
    if key.operator == "negative":
        return [*found, (key.arguments[0], _TURNED[relation])]
    return [*found, (key, relation)]


def summand(node: Expression) -> Expression:
    """Return what a sum along an order adds up, without the part that belongs to member i."""
    x, *exponents = node.arguments[:-1]
    return x * exp(exponents[0]) if exponents else x


_WITH_MEMBERS = frozenset({*RANKED, "total", "peak", "argpeak", "pick", "total_of_others"})


def of_member(body: Expression, place: str) -> Expression:
    """Return a formula of one member in which each part says whose it is.

    A sum inside has members of its own, and stays as it is.
    """
    nodes = list(walk(body))
    if any(node.operator in _WITH_MEMBERS for node in nodes):
        return body
    own = [x for x in nodes if x.operator == "variable" and x.class_axis]
    index = variable(place)
    return substitute(body, {x: apply("pick", x, index, class_axis=True) for x in own})


def of_pairs(node: Expression, own: str, other: str) -> tuple[Expression | None, Expression]:
    """Return which others a sum over them takes, None if all, and what it adds, with indices."""
    body = with_indices(node.arguments[0], own, other)
    return among(apply("total_of_others", body, class_axis=True)) or (None, body)


def with_indices(body: Expression, own: str, other: str) -> Expression:
    """Return a formula of a pair in which each part says which member it belongs to."""
    parts = parts_of(body)
    named = {symbol: _at(part, own, other) for symbol, part in parts.stands.items()}
    return substitute(parts.body, named)


def _at(part: Expression, own: str, other: str) -> Expression:
    of_other = part.operator == "other"
    member = part.arguments[0] if of_other else part
    if not member.class_axis:
        return member
    place = variable(other if of_other else own)
    if part.paired and not of_other:  # a letter for what belongs to a pair
        place = place * variable(other)
    return apply("pick", member, place, class_axis=True)


def is_strict(condition: Expression) -> bool:
    """Whether a condition of a pair, with indices, holds for no member and itself."""
    if condition.operator == "logical_and":
        return any(map(is_strict, condition.arguments))
    kept = [a.arguments[0] if a.operator == "pick" else None for a in condition.arguments]
    return condition.operator == "less" and kept[0] is not None and kept[0] is kept[1]


# The first and the second derivative of a word that is told by name, by each entry.
SLOPE, BEND = "slope", "bend"
TOLD = {SLOPE: "∂{0} {1}", BEND: "∂²{0} {1}"}

# Primitives for the sake of their digits, which a reader knows by other words.
IN_TEXTBOOK_WORDS: dict[str, Callable[..., Expression]] = {
    "log1p": lambda x: log(simplify(1 + x)),
    "expm1": lambda x: exp(x) - 1,
}


def textbook(expression: Expression) -> Expression:
    """Replace named functions by what they mean."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        arguments = tuple(done[a] for a in node.arguments)
        if (meaning := meaning_of(node.operator, arguments)) is not None:
            done[node] = textbook(meaning)
        elif node.arguments:
            done[node] = rebuild(node, arguments)
        else:
            done[node] = node
    return done[expression]


def meaning_of(operator: str, arguments: tuple[Expression, ...]) -> Expression | None:
    """Return what a function means, or None for a word that a textbook has too."""
    if operator in IN_TEXTBOOK_WORDS:
        return IN_TEXTBOOK_WORDS[operator](*arguments)
    if operator not in FUNCTIONS or operator in CALLS | ROW_CALLS | CLASS_CALLS:
        return None
    means = FUNCTIONS[operator].means
    return None if means is None else means(*arguments)


_WITHOUT = {"total": constant(0), "total_of_others": constant(0), "peak": constant(-inf)}
_NONE = constant(-inf)


def among(node: Expression) -> tuple[Expression, Expression] | None:
    """Return which entries a sum or a peak goes over, and the entries; None if over all.

    >>> from lossary.formula import variable
    >>> from lossary.functions import total, where
    >>> x = variable("scores", class_axis=True)
    >>> among(total(where(x > 0, x, 0)))
    (less(0.0, scores), scores)
    """
    choice, raised = _choice_in(node)
    if choice is None:
        return None
    condition, one, other = choice.arguments
    nothing = _NONE if raised else _WITHOUT[node.operator]
    if one is nothing:
        condition, one, other = ~condition, other, one
    if other is not nothing or not condition.class_axis:
        return None
    return condition, exp(one) if raised else one


def chosen_among(roots: Iterable[Expression]) -> set[tuple[Expression, Expression]]:
    """Return the choices, with what they stand in, that are spelled as a sum over some entries."""
    found = {(n, *_choice_in(n)) for n in walk(*roots) if n.operator in _WITHOUT and among(n)}
    return {
        (n.arguments[0] if raised else n, choice)
        for n, choice, raised in found
        if choice is not None
    }


def _choice_in(node: Expression) -> tuple[Expression | None, bool]:
    """Return the choice that a sum goes over, and whether it is of exponents."""
    if node.operator not in _WITHOUT:
        return None, False
    inner = node.arguments[0]
    raised = inner.operator == "exp"
    choice = inner.arguments[0] if raised else inner
    return (choice if choice.operator == "where" else None), raised
