"""What sums along an order mean, in mpmath: member by member, and nothing is sorted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lossary.functions.ordered import EXPONENTIAL


def spread(x: Any, n: int) -> list[Any]:
    """Return an entry for each member; a number is the same for all."""
    return x if isinstance(x, list) else [x] * n


@dataclass(frozen=True)
class Placed:
    """A key within a group: of two in different groups neither is larger, nor are they tied."""

    key: Any
    group: Any

    def __gt__(self, other: Placed) -> bool:
        return self.group == other.group and self.key > other.key

    def __add__(self, step: int) -> Placed:
        return Placed(self.key + step, self.group)

    def __ge__(self, other: Placed) -> bool:
        return self.group == other.group and self.key >= other.key


def _within(_: Any, n: int, key: Any, group: Any) -> list[Placed]:
    return [Placed(*one) for one in zip(spread(key, n), spread(group, n), strict=True)]


# Which member j belongs to member i along an order, by the place and the key of each.
_BELONGS: dict[str, Callable[..., bool]] = {
    "cumulate": lambda i, j, own, key: key >= own,
    "tied": lambda i, j, own, key: key == own,
    "beyond": lambda i, j, own, key: key > own,
    "others_from": lambda i, j, own, key: key >= own and i != j,
    "other_ties": lambda i, j, own, key: key == own and i != j,
    "earlier_ties": lambda i, j, own, key: key == own and j < i,
    "next_above": lambda i, j, own, key: key == own + 1,
}


def _from_each(m: Any, n: int, word: str, x: Any, key: Any) -> list[Any]:
    """Sum over the members that belong to each, one by one: the meaning and no more."""
    x, key, belongs = spread(x, n), spread(key, n), _BELONGS[word]
    places = range(n)
    return [m.fsum(x[j] for j in places if belongs(i, j, key[i], key[j])) for i in places]


def _exponentials_from_each(
    m: Any, n: int, word: str, x: Any, gain: Any, cost: Any, key: Any
) -> list[Any]:
    x, gain, cost = (spread(part, n) for part in (x, gain, cost))
    grown = [m.exp(b) * a if a else m.mpf(0) for a, b in zip(x, gain, strict=True)]
    sums = _from_each(m, n, word.removesuffix("_exp"), grown, key)
    return [m.exp(-c) * found if found else m.mpf(0) for c, found in zip(cost, sums, strict=True)]


def _peak_from(m: Any, n: int, x: Any, key: Any) -> list[Any]:
    x, key = spread(x, n), spread(key, n)
    return [max(x[j] for j in range(n) if key[j] >= key[i]) for i in range(n)]


IN_ORDER: dict[str, Callable[..., Any]] = {
    "within": _within,
    "peak_from": _peak_from,
    **{
        word: lambda m, n, *arguments, word=word: _from_each(m, n, word, *arguments)
        for word in _BELONGS
    },
    **{
        word: lambda m, n, *arguments, word=word: _exponentials_from_each(m, n, word, *arguments)
        for word in EXPONENTIAL
    },
}
"""What each word means for a list; `n` is the number of members."""
