"""The words that only rounding needs, put in where a formula is in normal form.

A sum of three has one rounding; a weight of 0 leaves out what may be infinite; an exponential of
what was rounded makes the rounding good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lossary.formula import Expression, walk
from lossary.functions import sum_of_three, weighted
from lossary.identities.terms import ARITHMETIC, Term, rank, spell, terms_of
from lossary.rewriting import rebuild

__all__ = ["finished"]

UNBOUNDED = frozenset({"log", "log_softmax", "cross_entropy_at", "mean_cross_entropy", "log_ratio"})
"""Functions that are infinite at an end of their domain, where a weight of 0 must win."""


def finished(expression: Expression) -> Expression:
    """Return the formula as it is computed."""
    done: dict[Expression, Expression] = {}
    for node in walk(expression):
        done[node] = _finish(node, done)
    return done[expression]


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
    if len(terms) != 3:
        return spell(terms)
    parts = sorted((replace(t, number=t.number / common) for t in terms), key=rank)
    found = sum_of_three(*(spell([term]) for term in parts))
    return found if common == 1 else common * found


def _weighted(term: Term) -> Term:
    """Let a weight of 0 win over an infinite function: only what is given can be 0 beside it."""
    calls = [f for f in term.above if f.operator in UNBOUNDED]
    given = [f for f in term.above if f.operator not in UNBOUNDED]
    if len(calls) != 1 or not given or term.below or not all(map(_is_given, given)):
        return term
    return Term(term.number, (weighted(spell([Term(1.0, tuple(given))]), calls[0]),))


def _is_given(node: Expression) -> bool:
    """Whether an expression is arithmetic of arguments."""
    return all(n.operator in ARITHMETIC | {"variable", "where", "equal"} for n in walk(node))
