"""In words, where something happens: by the size of an argument or of a part of the formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf, log10

import numpy as np

Array = np.ndarray

BETTER = 1.3
"""How much purer a region must be to be worth a second condition, or a longer name."""


@dataclass(frozen=True)
class Feature:
    """A number of each point, and its name; what is simpler comes first."""

    name: str
    values: Array


@dataclass(frozen=True)
class Range:
    """Where a feature lies: from ``low`` to ``high``, either of which can be infinite."""

    name: str
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high == inf:
            return f"{self.name} is too large for a float64"
        if self.low == self.high:
            return f"{self.name} is {self.low:g}"
        if self.low == -inf:
            return f"{self.name} is below about {self.high:g}"
        if self.high == inf:
            return f"{self.name} is above about {self.low:g}"
        return f"{self.name} is between about {self.low:g} and {self.high:g}"


def region(features: Sequence[Feature], here: Array) -> tuple[tuple[Range, ...], Array]:
    """Return up to two conditions that hold where ``here`` does, and the points that meet them."""
    found: list[Range] = []
    inside = np.ones(len(here), dtype=bool)
    for _ in range(2):
        best = None
        for feature in features:
            for name, values in _views(feature):
                candidate = _range(name, values, here, inside)
                if candidate is None:
                    continue
                purity, chosen, part = candidate
                least = (BETTER if best or found else 1.0) * (
                    best[0] if best else here.sum() / inside.sum()
                )
                if purity > least:
                    best = (purity, chosen, part)
        if best is None:
            break
        _, chosen, inside = best
        found.append(chosen)
    return tuple(found), inside


def _views(feature: Feature) -> list[tuple[str, Array]]:
    """Return the feature, and its size if it has two signs."""
    values = feature.values
    both = (values < 0).any() and (values > 0).any()
    return [*([(f"|{feature.name}|", abs(values))] if both else []), (feature.name, values)]


def _range(
    name: str, values: Array, here: Array, inside: Array
) -> tuple[float, Range, Array] | None:
    """Return how pure the smallest range around all points ``here`` is, the range, its points."""
    known = ~np.isnan(values)
    own = values[here & known]
    if len(own) < here.sum():
        return None
    low, high = float(own.min()), float(own.max())
    others = values[inside & known & ~here]
    # An end that keeps hardly any other point out says nothing.
    fair = 1.25 * (((others >= low) & (others <= high)).sum() + here.sum())
    if (others <= high).sum() + here.sum() <= fair:
        low = -inf
    if (others >= low).sum() + here.sum() <= fair:
        high = inf
    if low == -inf and high == inf:
        return None
    part = inside & known & (values >= low) & (values <= high)
    if low != high:  # a round number, if no other point lies between
        beyond = others[others > high].min(initial=inf)
        below = others[others < low].max(initial=-inf)
        low = low if np.isinf(low) else _round(low, below, low)
        high = high if np.isinf(high) else _round(high, high, beyond)
    return float(here.sum() / part.sum()), Range(name, low, high), part


def _round(x: float, low: float, high: float) -> float:
    """Return the number of fewest digits between two, near the one that is given.

    >>> _round(36.7368, 31.2, 36.7368), _round(9.3e-9, 9.3e-9, 4e-7), _round(0.51, 0.5099, 0.51)
    (36.0, 1e-08, 0.51)
    """
    if not x:
        return x
    for digits in range(1, 4):
        unit = 10.0 ** (floor(log10(abs(x))) - digits + 1)
        for candidate in (floor(x / unit) * unit, (floor(x / unit) + 1) * unit):
            if low <= candidate <= high:
                return float(f"{candidate:.{digits}g}")
    return float(f"{x:.3g}")
