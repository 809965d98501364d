"""Identities: pairs of formulas that mean the same, the second of which is computed.

>>> from lossary.functions import log, sigmoid, softplus
>>> found = identity("log sigmoid", lambda x: log(sigmoid(x)), lambda x: -softplus(-x))
>>> found.left, found.right
(log(sigmoid(?x)), negative(softplus(negative(?x))))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import signature

from lossary.formula import Expression, variable
from lossary.functions import FUNCTIONS, PRIMITIVES

PROBABILITY = "Unit OpenUnit Simplex"
POSITIVE = "Positive expression"
"""Whatever is seen to be above 0: an argument, a number, a product; ``Positive`` is an argument."""


@dataclass(frozen=True, eq=False)
class Identity:
    """A pair of formulas; a symbol with a set stands only for an argument from that set.

    Capital symbols stand for rows, small ones for numbers or, entry by entry, for rows.
    """

    name: str
    means: Callable[..., Expression]
    computed: Callable[..., Expression]
    sets: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def symbols(self) -> dict[str, Expression]:
        """The variables that the formulas are of."""
        names = signature(self.means).parameters
        return {n: variable(f"?{n}", class_axis=n.isupper()) for n in names}

    @cached_property
    def left(self) -> Expression:
        """What authors write."""
        return self.means(*self.symbols.values())

    @cached_property
    def right(self) -> Expression:
        """What is computed."""
        return self.computed(*self.symbols.values())

    def instance(self, bound: Mapping[Expression, Expression]) -> Expression:
        """Return what is computed, for what the symbols stand for."""
        return self.computed(*(bound[symbol] for symbol in self.symbols.values()))

    @cached_property
    def size(self) -> tuple[int, int, str]:
        """The larger a pattern and the fewer its symbols, the more it says."""
        return -sum(1 for _ in _nodes(self.left)), len(self.symbols), self.name

    @cached_property
    def words(self) -> frozenset[str]:
        """The functions without which a formula cannot hold the left side, known by their names.

        Few identities can stand in a loss; to trace all of them would be felt at the first call.
        """
        return frozenset(
            n for n in self.means.__code__.co_names if n in FUNCTIONS or n in PRIMITIVES
        )


def _nodes(node: Expression) -> Iterator[Expression]:
    yield node
    for argument in node.arguments:
        yield from _nodes(argument)


def identity(
    name: str,
    means: Callable[..., Expression],
    computed: Callable[..., Expression],
    **sets: str,
) -> Identity:
    """Return a pair of formulas of the same symbols."""
    return Identity(name, means, computed, {n: frozenset(s.split()) for n, s in sets.items()})


def square(x: Expression) -> Expression:
    """Return a square as the left sides of identities have it."""
    return x * x
