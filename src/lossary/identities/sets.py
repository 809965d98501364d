"""What is known of numbers from the sets that arguments lie in: which an identity may stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lossary.formula import Expression
from lossary.identities.matching import Bound, is_number
from lossary.identities.rules import Identity
from lossary.identities.terms import ARITHMETIC, Term, as_factor, terms_of

_POSITIVE = frozenset({"exp", "cosh", "sigmoid", "softplus", "class_count"})
"""Functions that are above 0 everywhere."""


class Known:
    """The names of sets, by argument, and what follows for expressions of arguments."""

    def __init__(self, sets: Mapping[str, str]) -> None:
        self.sets = sets

    def allows(self, rule: Identity, bound: Bound) -> bool:
        """Whether symbols that ask for a set stand for arguments from it; ``any`` is no number."""
        stands = {name: bound[rule.symbols[name]] for name in rule.sets}
        return all(
            self.set_of(node) in rule.sets[name]
            or ("any" in rule.sets[name] and not is_number(as_factor(node)))
            or ("expression" in rule.sets[name] and self.is_positive(node))
            for name, node in stands.items()
        )

    def is_positive(self, node: Expression) -> bool:
        """Whether an expression is above 0, as can be seen from its terms."""
        terms = terms_of(node)
        if self._is_complement(terms):
            return True
        squares = all(term.number > 0 and self._is_square(term) for term in terms)
        return squares and any(
            all(map(self._is_positive_factor, (*t.above, *t.below))) for t in terms
        )

    def _is_square(self, term: Term) -> bool:
        """Whether a term is not below 0: what is not known to be positive stands twice."""
        return all(
            self._is_positive_factor(f) or count(f, side) % 2 == 0
            for side in term.factors
            for f in side
        )

    def _is_positive_factor(self, node: Expression) -> bool:
        if node.operator in {"sqrt", "power"}:
            return self.is_positive(node.arguments[0])
        if node.operator in _POSITIVE or self.set_of(node) in {"Positive", "OpenUnit"}:
            return True
        return node.operator in ARITHMETIC and self.is_positive(node)

    def _is_complement(self, terms: Sequence[Term]) -> bool:
        """Whether a sum is a number less no more than its share by a number between 0 and 1."""
        part, *whole = sorted(terms, key=is_number)
        if len(whole) != 1 or not is_number(whole[0]) or part.below or len(part.above) != 1:
            return False
        return 0 > part.number >= -whole[0].number and self.set_of(part.above[0]) == "OpenUnit"

    def set_of(self, node: Expression) -> str | None:
        """Return the name of the set that an argument, or an entry of it, lies in."""
        if node.operator == "pick":
            return self.set_of(node.arguments[0])
        return self.sets.get(str(node.payload)) if node.operator == "variable" else None


def count(factor: Expression, factors: tuple[Expression, ...]) -> int:
    """Return how often a factor stands among others."""
    return sum(1 for other in factors if other is factor)
