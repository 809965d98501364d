"""Pairs of two members of a row: what a formula may say of them, and matrices of them.

In a formula of a pair ``x`` belongs to one member, i, and ``other(x)`` to the other, j. It is a
function of numbers, so that its slopes are found as those of numbers are. A sum over the others is
one number for each member again. No member is paired with itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lossary.errors import FormulaError
from lossary.formula import Expression, apply, bottom_up, refuse, variable

MIXED = (
    "a sum over pairs and one along an order follow one another, and the diagonal of their second "
    "derivative has no short form\nhint: ask for the gradient only"
)


def other(x: Any) -> Expression:
    """The value at the other member of a pair, where ``x`` is the value at the one."""
    if not isinstance(x, Expression) or not x.class_axis:
        refuse(
            f"other({x!r}): it is the same for all members of a row",
            "give other what has entries along an axis, such as score: Annotated[Real, positions]",
        )
    if x.paired:
        refuse(
            f"other({x!r}): it belongs to a pair already",
            "a pair has two members: write other of what belongs to one of them",
        )
    return apply("other", x)


def over_others(x: Any) -> Expression:
    """Sum what belongs to pairs over the other members, for each member."""
    if not isinstance(x, Expression) or not x.paired:
        refuse(
            f"a sum over pairs of {x!r}, which no other member has a part in",
            "write other(x) for the value at the other member of a pair",
        )
    return total_of_others(x)


def total_of_others(x: Expression) -> Expression:
    """Sum over the other members; what is the same for all of them counts for each."""
    return apply("total_of_others", x, class_axis=True)


def of_one(word: str, *arguments: Any) -> None:
    """Refuse a word along the axis for what belongs to pairs."""
    for x in arguments:
        if isinstance(x, Expression) and x.paired:
            refuse(
                f"{word} of {x!r}, which belongs to pairs",
                "sum over the other members first: total(x, over=others), or over=pairs for both",
            )


@dataclass(frozen=True)
class Parts:
    """A formula of a pair as a function of numbers, and what stands for each of them."""

    body: Expression
    stands: dict[Expression, Expression]

    def back(self, body: Expression) -> Expression:
        """Return what a formula of the same numbers is of the pair."""
        done = dict(self.stands)

        def step(node: Expression) -> Expression:
            if not node.arguments:
                return node
            return apply(node.operator, *(done[a] for a in node.arguments))

        return bottom_up(body, done, step)


def parts_of(body: Expression) -> Parts:
    """Take a formula of a pair apart into what belongs to the one, to the other, and to neither."""
    numbers: dict[Expression, Expression] = {}

    def number(part: Expression) -> Expression:
        if part.operator == "constant":
            return part
        return numbers.setdefault(part, variable(f"part {len(numbers)}"))

    made = _through(body, number, number)
    return Parts(made, {symbol: part for part, symbol in numbers.items()})


def turned_round(body: Expression) -> Expression:
    """Return the formula of the same pair with the two members exchanged."""
    return _through(
        body,
        lambda own: apply("other", own) if own.class_axis else own,
        lambda part: part.arguments[0],
    )


def of_twins(body: Expression) -> Expression:
    """Return what the formula of a pair is of two members that are alike."""
    return _through(body, lambda own: own, lambda part: part.arguments[0])


def _through(
    body: Expression,
    of_one: Callable[[Expression], Expression],
    of_other: Callable[[Expression], Expression],
) -> Expression:
    """Rebuild a formula of a pair from what its parts become."""
    known: dict[Expression, Expression] = {}

    def made(node: Expression) -> Expression:
        if node not in known:
            if node.operator == "other":
                known[node] = of_other(node)
            elif not node.paired or not node.arguments:  # what stands below is of other pairs
                known[node] = of_one(node)
            else:
                known[node] = apply(node.operator, *map(made, node.arguments))
        return known[node]

    return made(body)


@dataclass(frozen=True)
class PairLink:
    """The matrix that has a formula of the pair as its entries, and zeros on its diagonal."""

    entries: Expression

    @property
    def transposed(self) -> PairLink:
        """Return the matrix with rows and columns exchanged."""
        return PairLink(turned_round(self.entries))

    def times(self, x: Expression) -> Expression:
        """Return the product with a row."""
        return total_of_others(self.entries * (apply("other", x) if x.class_axis else x))

    def back(self, other: object) -> PairLink:
        """Return the matrix of the products of entries i, j and, of the other, j, i."""
        if not isinstance(other, PairLink):
            raise FormulaError(MIXED)
        return PairLink(self.entries * turned_round(other.entries))

    def each(self, change: Callable[[Expression], Expression]) -> PairLink:
        """Return the matrix with each of its expressions changed."""
        return PairLink(change(self.entries))
