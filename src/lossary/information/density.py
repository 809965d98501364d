"""Continuous distributions as the quadrature needs them: log-density, support, quantiles, cuts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lossary.errors import DomainError, DtypeError

Real = Callable[[float], float]
Support = tuple[float, float]

LEVELS = (1e-8, 1e-5, 1e-3, 0.02, 0.1, 0.25, 0.5)  # of the quantiles where integrals are cut
LADDER = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e4)
PARTS = 8  # of a bounded support without known quantiles


@dataclass(frozen=True)
class Quantiles:
    """Distribution function and its inverse, from below and from above."""

    lower: Real
    upper: Real
    mass_below: Real
    mass_above: Real

    def points(self) -> tuple[float, ...]:
        """Where most of the mass is, in order."""
        return (*(self.lower(u) for u in LEVELS), *(self.upper(u) for u in LEVELS[-2::-1]))


@dataclass(frozen=True)
class Density:
    """A logarithm of a density, where it may be positive, and where to cut its integrals."""

    function: str
    argument: str
    formula: Real
    support: Support
    points: tuple[float, ...]
    quantiles: Quantiles | None

    def log(self, x: float) -> float:
        """Logarithm of the density; -inf outside the support, inf at a pole."""
        return self.formula(x) if self.support[0] <= x <= self.support[1] else -math.inf

    @cached_property
    def peak(self) -> float:
        """The largest density at the points."""
        return math.exp(max(self.log_beside_pole(x) for x in self.points))

    def log_beside_pole(self, x: float) -> float:
        """As ``log``; at a pole, which has no mass, the value one float beside it."""
        log = self.log(x)
        return log if log < math.inf else self.log(math.nextafter(x, self.points[0]))


def is_density(value: Any) -> bool:
    """Whether an argument is a distribution object or a function, not an array of probabilities."""
    return callable(value) or any(hasattr(value, name) for name in ("logpdf", "pdf", "pmf"))


def density_of(
    function: str, argument: str, value: Any, support: Support | None = None, points: Any = ()
) -> Density:
    """Read a frozen ``scipy.stats`` distribution, or a function from x to the density."""
    if not is_density(value):
        raise DtypeError(
            f"{function}: {argument} must be continuous, like the other argument, got "
            f"{type(value).__name__}; pass a frozen scipy.stats distribution or a density function"
        )
    if _is_discrete(value):
        raise DtypeError(
            f"{function}: {argument} is a discrete distribution; pass its probabilities, as in "
            "distribution.pmf(numpy.arange(100))"
        )
    where = _support(function, value, support)
    quantiles = _quantiles(value) if support is None else None
    cuts = quantiles.points() if quantiles else _cuts(where, [float(p) for p in points])
    formula = _log_density(function, argument, value)
    return Density(function, argument, formula, where, cuts, quantiles)


def _is_discrete(value: Any) -> bool:
    """Whether the outcomes are countable; the newer ``scipy.stats`` gives pmf to every class."""
    names = {cls.__name__ for cls in type(value).__mro__}
    return "DiscreteDistribution" in names or (hasattr(value, "pmf") and not hasattr(value, "pdf"))


def _log_density(function: str, argument: str, value: Any) -> Real:
    if hasattr(value, "logpdf"):
        return lambda x: _scalar(value.logpdf(x))
    plain = value.pdf if hasattr(value, "pdf") else value

    def log(x: float) -> float:
        density = _scalar(plain(x))
        if not density >= 0:
            raise DomainError(
                f"{function}: {argument} must be a density, at least 0, got {density:g} at "
                f"x = {x:g}; for the logarithm of a density pass an object with a logpdf method"
            )
        return math.log(density) if density > 0 else -math.inf

    return log


def _scalar(value: Any) -> float:
    return float(np.asarray(value).reshape(()))


def _support(function: str, value: Any, support: Support | None) -> Support:
    given: Any = getattr(value, "support", (-math.inf, math.inf)) if support is None else support
    ends: Any = given() if callable(given) else given
    low, high = (float(end) for end in ends)
    if not low < high:
        raise DomainError(
            f"{function}: support must be (low, high) with low below high, got ({low:g}, {high:g})"
        )
    return low, high


def _quantiles(value: Any) -> Quantiles | None:
    """The four functions, if all are there, as either family of ``scipy.stats`` names them."""
    for names in (("ppf", "isf", "cdf", "sf"), ("icdf", "iccdf", "cdf", "ccdf")):
        found = [getattr(value, name, None) for name in names]
        if all(found):
            return Quantiles(*(_real(f) for f in found))
    return None


def _real(function: Any) -> Real:
    return lambda x: _scalar(function(x))


def _cuts(support: Support, points: list[float]) -> tuple[float, ...]:
    """Given points and half decades around each; equal parts of a bounded support."""
    low, high = support
    if math.isfinite(low) and math.isfinite(high):
        parts = [low + (high - low) * k / PARTS for k in range(1, PARTS)]
        return tuple(sorted({*parts, *points}))
    origins = points or [next((end for end in support if math.isfinite(end)), 0.0)]
    steps = [0.0, *LADDER, *(-step for step in LADDER)]
    return tuple(sorted({origin + step for origin in origins for step in steps}))
