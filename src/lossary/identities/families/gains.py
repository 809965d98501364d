"""Identities of rankings: gains that may overflow, and discounts that lie near each other."""

from __future__ import annotations

from typing import Any

from lossary.functions import (
    discount_distance,
    floor,
    gain_difference_over,
    gain_over,
    held,
    log,
    log1p,
    peak,
    total,
)
from lossary.identities.rules import identity


def _top(relevance: Any) -> Any:
    """A power of 2 near the largest gain; it cancels in a ratio, so that it may be held."""
    return held(floor(peak(relevance)))


GAINS = (
    identity(
        "ratio of gains",
        lambda X, A, B: total((2**X - 1) / A) / total((2**X - 1) / B),
        lambda X, A, B: total(gain_over(X, _top(X)) / A) / total(gain_over(X, _top(X)) / B),
    ),
    identity(
        "difference of gains over gains",
        lambda y, z, X, B: abs(2**y - 2**z) / total((2**X - 1) / B),
        lambda y, z, X, B: (
            abs(gain_difference_over(y, z, _top(X))) / total(gain_over(X, _top(X)) / B)
        ),
    ),
    identity(
        "distance of discounts",
        lambda x, y: abs(1 / log1p(x) - 1 / log1p(y)),
        lambda x, y: discount_distance(x, y),
    ),
    identity(
        "distance of discounts a place apart",
        lambda x: abs(1 / log(x + 2) - 1 / log1p(x)),
        lambda x: discount_distance(x, 1 + x),
    ),
)
