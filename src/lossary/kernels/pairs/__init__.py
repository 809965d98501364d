"""Pairs of two members of a row, for the texts of array libraries, each with its own words.

What belongs to one member lies along the rows of a matrix, what belongs to the other along its
columns; the libraries' broadcasting does the rest. A sum leaves the diagonal out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Paired:
    """The layout of pairs, in the words of one library."""

    expanded: Callable[[Any, int], Any]
    """The array with one more axis at a place, counted from the end; a number stays one."""
    count: Callable[[Any], Any]
    """0, 1, 2, ... along the last axis, in whole numbers."""
    where: Callable[[Any, Any, Any], Any]
    sum: Callable[[Any], Any]
    """The sum along the last axis, which ends it."""
    real: Callable[[Any, Any], Any]
    """A number in the dtype of an array; an array stays one."""

    def own(self, x: Any) -> Any:
        """Lay out what belongs to the one member."""
        return self.expanded(x, -1)

    def other(self, x: Any) -> Any:
        """Lay out what belongs to the other."""
        return self.expanded(x, -2)

    def total(self, x: Any, like: Any) -> Any:
        """Sum over the other members."""
        places = self.count(like)
        apart = self.own(places) != places
        x = self.real(x, like)
        return self.sum(self.where(apart, x, self.real(0.0, x)))
