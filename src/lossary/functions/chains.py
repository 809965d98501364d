"""Sums along an order as matrices: what a derivative needs of them.

A sum over the members that rank at least as high is the product of a matrix of zeros and ones with
a row. Its derivative is that matrix, the way back its transpose, and both are sums along an order
again. So a derivative can hold them without ever having a matrix of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lossary.errors import FormulaError
from lossary.formula import Expression, apply, constant
from lossary.functions.pairs import MIXED, PairLink

_ZERO, _ONE = constant(0), constant(1)

# The members j that belong to member i, by their keys: with the key turned round, the members
# that i belongs to. No member belongs to itself.
RELATIONS = {
    "others_from": "key_j >= key_i, j not i",
    "beyond": "key_j > key_i",
    "other_ties": "key_j = key_i, j not i",
    "next_above": "key_j = key_i + 1",
}

# What is left of two relations after one another on the way from a member back to itself, by
# whether the second key is the first, or the first turned round.
_BACK = {
    ("others_from", "others_from", True): "other_ties",
    ("others_from", "others_from", False): "others_from",
    ("beyond", "beyond", False): "beyond",
    ("beyond", "others_from", False): "beyond",
    ("others_from", "beyond", False): "beyond",
    ("other_ties", "others_from", True): "other_ties",
    ("other_ties", "others_from", False): "other_ties",
    ("others_from", "other_ties", True): "other_ties",
    ("others_from", "other_ties", False): "other_ties",
    ("other_ties", "other_ties", True): "other_ties",
    ("other_ties", "other_ties", False): "other_ties",
    ("next_above", "next_above", False): "next_above",
}


def turned(x: Expression) -> Expression:
    """Return -x, and x for -x; within a group it is the key that is turned round."""
    if x.operator == "within":
        key, group = x.arguments
        return apply("within", turned(key), group)
    return x.arguments[0] if x.operator == "negative" else _ZERO if x is _ZERO else -x


@dataclass(frozen=True)
class Link:
    """The matrix that has exp(gains_j - costs_i) where member j belongs to i, and 0 elsewhere."""

    relation: str
    gains: Expression
    costs: Expression
    key: Expression

    @property
    def transposed(self) -> Link:
        """Return the matrix with rows and columns exchanged."""
        return Link(self.relation, turned(self.costs), turned(self.gains), turned(self.key))

    def times(self, x: Expression) -> Expression:
        """Return the product with a row, which is a sum along the order."""
        if self.gains is _ZERO and self.costs is _ZERO:
            return apply(self.relation, x, self.key, class_axis=True)
        word = f"{self.relation}_exp"
        return apply(word, x, self.gains, self.costs, self.key, class_axis=True)

    def back(self, other: Link | PairLink) -> Link | None:
        """Return the matrix of the products of entries i, j and, of the other, j, i."""
        if isinstance(other, PairLink):
            raise FormulaError(MIXED)
        if other.key is not self.key and other.key is not turned(self.key):
            raise FormulaError(
                "sums along two different orders follow one another, and the diagonal of their "
                "second derivative has no short form\nhint: give both sums one key"
            )
        relation = _BACK.get((self.relation, other.relation, other.key is self.key))
        if relation is None:
            return None
        gains, costs = self.gains - other.costs, self.costs - other.gains
        if all(x is _ZERO for x in (self.gains, self.costs, other.gains, other.costs)):
            gains = costs = _ZERO
        return Link(relation, gains, costs, self.key)

    def each(self, change: Callable[[Expression], Expression]) -> Link:
        """Return the matrix with each of its expressions changed."""
        return Link(self.relation, change(self.gains), change(self.costs), change(self.key))


@dataclass(frozen=True)
class Chain:
    """A product of matrices: diagonal, link, diagonal, link, ..., diagonal."""

    factors: tuple[Expression, ...]
    links: tuple[Link | PairLink, ...]

    @property
    def transposed(self) -> Chain:
        """Return the matrix with rows and columns exchanged."""
        return Chain(self.factors[::-1], tuple(link.transposed for link in self.links[::-1]))

    def times(self, x: Expression) -> Expression:
        """Return the product with a row."""
        found = self.factors[-1] * x
        for factor, link in zip(self.factors[-2::-1], self.links[::-1], strict=True):
            found = factor * link.times(found)
        return found

    def each(self, change: Callable[[Expression], Expression]) -> Chain:
        """Return the chain with each of its expressions changed."""
        links = tuple(link.each(change) for link in self.links)
        return Chain(tuple(map(change, self.factors)), links)

    def starting(self, factor: Expression) -> Chain:
        """Return the chain with another first factor."""
        return Chain((factor, *self.factors[1:]), self.links)

    def before(self, factor: Expression) -> Chain:
        """Return the product of a diagonal matrix with this one."""
        return Chain((factor * self.factors[0], *self.factors[1:]), self.links)

    def after(self, factor: Expression) -> Chain:
        """Return the product of this matrix with a diagonal one."""
        return Chain((*self.factors[:-1], self.factors[-1] * factor), self.links)

    def then(self, other: Chain) -> Chain:
        """Return the product of this matrix with another."""
        middle = self.factors[-1] * other.factors[0]
        factors = (*self.factors[:-1], middle, *other.factors[1:])
        return Chain(factors, self.links + other.links)

    @property
    def diagonal(self) -> Expression:
        """Return the entries i, i."""
        first, *others = self.links
        if not others:
            return _ZERO  # no member belongs to itself
        if len(others) > 1:
            raise FormulaError(
                "three sums over members follow one another, and the diagonal of their second "
                "derivative has no short form\nhint: ask for the gradient only"
            )
        back = first.back(others[0])
        if back is None:
            return _ZERO
        return self.factors[0] * back.times(self.factors[1]) * self.factors[2]


def linked(relation: str, key: Expression, gains: Expression, costs: Expression) -> Chain:
    """Return one link alone."""
    return Chain((_ONE, _ONE), (Link(relation, gains, costs, key),))


def paired(entries: Expression) -> Chain:
    """Return the matrix of a formula of pairs alone."""
    return Chain((_ONE, _ONE), (PairLink(entries),))


def sums(relation: str, key: Expression) -> Chain:
    """Return the matrix of a plain sum along an order."""
    return linked(relation, key, _ZERO, _ZERO)
