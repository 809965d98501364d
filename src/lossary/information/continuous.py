"""Information of continuous distributions: the sums become integrals, done by quadrature.

The real line is cut where a distribution has its quantiles (or at the given points, or in half
decades around zero), and QUADPACK integrates each piece; an unbounded piece is mapped to (0, 1). The
pieces' own error estimates are added up, and a sum that is too large is an error, not an answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from lossary.errors import DomainError, DtypeError, MissingExtraError
__all__ = [
    "Density",
    "Support",
    "cross_entropy",
    "densities",
    "density_of",
    "entropy",
    "is_density",
    "relative_entropy",
]

Support = tuple[float, float]

QUANTILES = (1e-12, 1e-8, 1e-5, 1e-3, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 0.999, 1 - 1e-5, 1 - 1e-8)
LADDER = tuple(s * d for d in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 1000, 1e4) for s in (-1, 1))
PARTS = 8  # of a bounded support without known quantiles
ABSOLUTE, RELATIVE = 1e-9, 1e-8  # the error that a result may have, by the quadrature's own estimate
MASS = 1e-6  # how far the integral of a density may be from 1


@dataclass(frozen=True)
class Density:
    """A logarithm of a density, where it may be positive, and where to cut its integrals."""

    function: str
    argument: str
    formula: Callable[[float], float]
    support: Support
    points: tuple[float, ...]

    def log(self, x: float) -> float:
        """Logarithm of the density; -inf outside the support."""
        return self.formula(x) if self.support[0] <= x <= self.support[1] else -math.inf


def is_density(value: Any) -> bool:
    """Whether an argument is a distribution object or a function, not an array of probabilities."""
    return callable(value) or any(hasattr(value, name) for name in ("logpdf", "pdf", "pmf"))


def density_of(
    function: str, argument: str, value: Any, support: Support | None = None, points: Any = ()
) -> Density:
    """Read a frozen ``scipy.stats`` distribution or a function x -> density, and check its mass."""
    if not is_density(value):
        raise DtypeError(
            f"{function}: {argument} must be continuous, like the other argument, got "
            f"{type(value).__name__}; pass a frozen scipy.stats distribution or a density function"
        )
    if hasattr(value, "pmf") and not hasattr(value, "pdf"):
        raise DtypeError(
            f"{function}: {argument} is a discrete distribution; pass its probabilities, as in "
            "distribution.pmf(numpy.arange(100))"
        )
    where = _support(function, value, support)
    cuts = tuple(float(p) for p in points) or _quantiles(value) or _ladder(where)
    density = Density(function, argument, _log_density(function, argument, value), where, cuts)
    _check_mass(density)
    return density


def densities(
    function: str, names: tuple[str, str], values: tuple[Any, Any], support: Any, points: Any
) -> tuple[Density, Density]:
    """Two densities for one integral."""
    first, second = (
        density_of(function, n, v, support, points) for n, v in zip(names, values, strict=True)
    )
    return first, second


def entropy(p: Density) -> float:
    """Differential entropy in nats."""

    def integrand(x: float) -> float:
        log_p = p.log(x)
        return 0.0 if log_p == -math.inf else -math.exp(log_p) * log_p

    return _integral(integrand, [p], p.support)


def cross_entropy(p: Density, q: Density) -> float:
    """Integral of -p log q in nats; infinite where q vanishes on a set that p does not."""

    def integrand(x: float) -> float:
        density = _exponential(p.log(x))
        return -density * _log_beside(q, x) if density else 0.0

    return math.inf if _sticks_out(p, q) else _integral(integrand, [p, q], p.support)


def relative_entropy(p: Density, q: Density) -> float:
    """Integral of p log(p/q) - p + q over both supports, in nats: no term is negative."""

    def integrand(x: float) -> float:
        log_p = p.log(x)
        density = _exponential(log_p)
        if not density:
            return _exponential(q.log(x))
        difference = log_p - _log_beside(q, x)
        if abs(difference) > 0.1:
            return density * (difference - 1) + _exponential(q.log(x))
        return density * _exponential_excess(-difference)

    both = min(p.support[0], q.support[0]), max(p.support[1], q.support[1])
    return math.inf if _sticks_out(p, q) else _integral(integrand, [p, q], both)


def _exponential(log: float) -> float:
    return math.exp(log) if log > -math.inf else 0.0


def _exponential_excess(d: float) -> float:
    """exp(d) - 1 - d by its series, for abs(d) up to 0.1."""
    total = 0.0
    for k in range(12, 1, -1):
        total = (total + 1) * d / k
    return total * d  # d/2 (1 + d/3 (1 + d/4 (...))) times d


def _log_beside(q: Density, x: float) -> float:
    """log q(x); a single zero of q has no mass, so its neighbours decide whether this is one."""
    here = q.log(x)
    if here > -math.inf:
        return here
    step = 1e-7 * max(abs(x), 1e-3)
    beside = max(q.log(x - step), q.log(x + step))
    if beside == -math.inf:
        raise _VanishesError
    return beside


class _VanishesError(Exception):
    """The model has no mass where the truth has some: the integral is infinite."""


def _sticks_out(p: Density, q: Density) -> bool:
    """Whether p has mass outside the support of q."""
    (low, high), (q_low, q_high) = p.support, q.support
    outside = [(low, min(q_low, high)), (max(q_high, low), high)]
    return any(a < b and _integral(_density(p), [p], (a, b)) > 0 for a, b in outside)


def _density(p: Density) -> Callable[[float], float]:
    return lambda x: _exponential(p.log(x))


def _integral(
    integrand: Callable[[float], float], cut_by: Sequence[Density], support: Support
) -> float:
    low, high = support
    ends = [end for d in cut_by for end in (*d.points, *d.support)]
    inner = sorted({x for x in ends if low < x < high and math.isfinite(x)})
    try:
        with np.errstate(all="ignore"):
            value, error = _quadrature(integrand, [low, *inner, high])
    except _VanishesError:
        return math.inf
    if not error <= ABSOLUTE + RELATIVE * abs(value):
        first = cut_by[0]
        raise ArithmeticError(
            f"{first.function}: the integral over ({low:g}, {high:g}) does not settle: {value:.9g} "
            f"with an estimated error of {error:.2g}; it may be infinite, or need points= where the "
            f"density of {first.argument} changes quickly"
        )
    return value


def _quadrature(integrand: Callable[[float], float], cuts: list[float]) -> tuple[float, float]:
    pieces = [_piece(integrand, a, b, cuts) for a, b in pairwise(cuts)]
    return math.fsum(v for v, _ in pieces), math.fsum(e for _, e in pieces)


def _piece(
    integrand: Callable[[float], float], a: float, b: float, cuts: list[float]
) -> tuple[float, float]:
    quad = _scipy_integrate().quad
    options = {"epsabs": 1e-14, "epsrel": 1e-11, "limit": 200, "full_output": 1}
    if math.isfinite(a) == math.isfinite(b):
        return quad(integrand, a, b, **options)[:2]
    finite = [c for c in cuts if math.isfinite(c)]
    scale = max(finite[-1] - finite[0], 1e-3) if len(finite) > 1 else 1.0
    edge, sign = (a, 1.0) if math.isfinite(a) else (b, -1.0)

    def mapped(t: float) -> float:  # x = edge +- scale t / (1 - t)
        value = integrand(edge + sign * scale * t / (1 - t))
        return value * scale / (1 - t) ** 2 if value else 0.0

    return quad(mapped, 0.0, 1.0, **options)[:2]


def _check_mass(p: Density) -> None:
    mass = _integral(_density(p), [p], p.support)
    if not abs(mass - 1) <= MASS:
        raise DomainError(
            f"{p.function}: {p.argument} must be a density that integrates to 1, got {mass:.9g} over "
            f"({p.support[0]:g}, {p.support[1]:g}); give support=(low, high), and points= near its "
            "mass if it is narrow or far from 0"
        )


def _log_density(function: str, argument: str, value: Any) -> Callable[[float], float]:
    if hasattr(value, "logpdf"):
        return lambda x: float(np.asarray(value.logpdf(x)).reshape(()))
    plain = value.pdf if hasattr(value, "pdf") else value

    def log(x: float) -> float:
        density = float(np.asarray(plain(x)).reshape(()))
        if not density >= 0:
            raise DomainError(
                f"{function}: {argument} must be a density, at least 0, got {density:g} at x = {x:g}; "
                "for the logarithm of a density pass an object with a logpdf method"
            )
        return math.log(density) if density > 0 else -math.inf

    return log


def _support(function: str, value: Any, support: Support | None) -> Support:
    given = support if support is not None else getattr(value, "support", (-math.inf, math.inf))
    low, high = (float(end) for end in (given() if callable(given) else given))
    if not low < high:
        raise DomainError(
            f"{function}: support must be (low, high) with low below high, got ({low:g}, {high:g})"
        )
    return low, high


def _quantiles(value: Any) -> tuple[float, ...]:
    quantile = getattr(value, "ppf", None) or getattr(value, "icdf", None)
    return tuple(float(quantile(u)) for u in QUANTILES) if quantile else ()


def _ladder(support: Support) -> tuple[float, ...]:
    low, high = support
    if math.isfinite(low) and math.isfinite(high):
        return tuple(low + (high - low) * k / PARTS for k in range(1, PARTS))
    origin = next((end for end in support if math.isfinite(end)), 0.0)
    return tuple(origin + step for step in (0.0, *LADDER))


def _scipy_integrate() -> Any:
    try:
        from scipy import integrate
    except ImportError as error:
        raise MissingExtraError("study", "an integral over a continuous distribution") from error
    return integrate
