"""The words that only rounding needs, put in where a formula is in normal form.

A sum of three to five has one rounding; a weight of 0 leaves out what may be infinite; an
exponential of what was rounded makes the rounding good.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from math import frexp

from lossary.formula import Expression, walk
from lossary.functions import (
    exp_gap_of_rounded,
    exp_of_rounded,
    expm1_of_rounded,
    log_ndtr_of_rounded,
    normal_hazard_of_rounded,
    sigmoid_cross_entropy_of_rounded,
    sigmoid_of_rounded,
    softplus_of_rounded,
    sum_of_five,
    sum_of_four,
    sum_of_three,
    weighted,
)
from lossary.identities.terms import ARITHMETIC, Term, rank, spell, terms_of
from lossary.rewriting import rebuild

UNBOUNDED = frozenset(
    [
        "log", "exp", "log_softmax", "cross_entropy_at", "mean_cross_entropy", "log_ratio",
        "exp_of_rounded", "expm1_of_rounded", "excess_from", "efron_excess", "logsumexp_from",
        "log1mexp", "log_part", "log_share", "log_mixture", "log_inflated",
    ]
)  # fmt: skip
"""Functions that can be infinite, where a weight of 0 must win."""

_SUMS = {3: sum_of_three, 4: sum_of_four, 5: sum_of_five}


CARRIED = {
    "exp": exp_of_rounded,
    "exp_gap": exp_gap_of_rounded,
    "sigmoid_cross_entropy": sigmoid_cross_entropy_of_rounded,
    "expm1": expm1_of_rounded,
    "log_ndtr": log_ndtr_of_rounded,
    "normal_hazard": normal_hazard_of_rounded,
    "softplus": softplus_of_rounded,
    "sigmoid": sigmoid_of_rounded,
}
"""Functions that amplify what their argument has lost, and those that make it good."""


def finished(expression: Expression, signs: Container[str] = ()) -> Expression:
    """Return the formula as it is computed; ``signs`` are arguments by which a product is exact."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        if node.operator in CARRIED and _rounds(node.arguments[0], signs):
            done[node] = CARRIED[node.operator](*node.arguments)
        else:
            done[node] = _finish(node, done)
    return done[expression]


def _rounds(x: Expression, signs: Container[str]) -> bool:
    """Whether the value of an argument is a rounded sum or product of the loss's arguments."""
    if not _is_given(x) or "where" in {n.operator for n in walk(x)}:
        return False
    terms = terms_of(x)
    factors = [f for t in terms for f in (*t.above, *t.below) if str(f.payload) not in signs]
    scaled = any(frexp(term.number)[0] not in {0.5, -0.5} for term in terms)
    sums = any(f.operator in ARITHMETIC for f in factors)
    return len(terms) > 1 or len(factors) > 1 or scaled or sums


def _finish(node: Expression, done: dict[Expression, Expression]) -> Expression:
    if node.operator not in ARITHMETIC or not node.arguments:
        return rebuild(node, tuple(done[a] for a in node.arguments))
    return _spell([_weighted(_within(term, done)) for term in terms_of(node)])


def _within(term: Term, done: dict[Expression, Expression]) -> Term:
    return replace(
        term,
        above=tuple(done[f] if f in done else finished(f) for f in term.above),
        below=tuple(done[f] if f in done else finished(f) for f in term.below),
    )


def _spell(terms: Sequence[Term]) -> Expression:
    size = {abs(term.number) for term in terms}
    common = size.pop() if len(size) == 1 else 1.0
    if len(terms) not in _SUMS:
        return spell(terms)
    parts = sorted((replace(t, number=t.number / common) for t in terms), key=rank)
    found = _SUMS[len(terms)](*(spell([term]) for term in parts))
    return found if common == 1 else common * found


def _weighted(term: Term) -> Term:
    """Let a weight of 0 win over an infinite function: only what is given can be 0 beside it.

    What is held is a weight too, one that may be 0 beside a difference that overflows.
    """
    held = any(f.operator == "held" for f in term.above)
    unbounded = UNBOUNDED | {"softplus", "softplus_of_rounded"} if held else UNBOUNDED
    calls = [f for f in term.above if f.operator in unbounded]
    given = [f for f in term.above if f.operator not in unbounded]
    if len(calls) != 1 or not given or term.below or not all(map(_is_weight, given)):
        return term
    return Term(term.number, (weighted(spell([Term(1.0, tuple(given))]), calls[0]),))


def _is_weight(node: Expression) -> bool:
    return node.operator == "held" or _is_given(node)


def _is_given(node: Expression) -> bool:
    """Whether an expression is arithmetic of arguments."""
    return all(n.operator in ARITHMETIC | _GIVEN for n in walk(node))


_GIVEN = frozenset({"variable", "where", "equal", "other"})
