"""Integrals over a density by QUADPACK, with an error instead of a wrong answer.

Where quantiles are known, an expectation is an integral of g(x(u)) over the probability u, from
both ends to the median: heavy tails and poles become mild, and the mass is 1 by construction.
Otherwise it is an integral of p(x) g(x) over x, in pieces, and the mass is checked to be 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from lossary.errors import DomainError, MissingExtraError
from lossary.information.density import LEVELS, Density, Quantiles, Real

Information = Callable[[float, float], float]
"""What is averaged: a function of x and of the logarithm of the density there."""

ABSOLUTE, RELATIVE = (
    1e-9,
    1e-8,
)  # the error that a result may have, by the quadrature's own estimate
MASS = 1e-6  # how far the integral of a density may be from 1
NEGLIGIBLE = 1e-12  # weight of a point where a zero of the model may be one of rounding (underflow)
POLE = 1e-8  # of the probability may lie nearer to a pole than floats can tell


class VanishesError(Exception):
    """The model has no mass where the truth has some: the expectation is infinite."""


def expectation(p: Density, information: Information, others: Iterable[Density] = ()) -> float:
    """Mean of ``information`` under ``p``; infinite where it meets ``VanishesError``."""
    cuts = [x for other in others for x in (*other.points, *other.support)]
    try:
        if p.quantiles:
            return _over_probability(p, p.quantiles, information, cuts)
        return integral(p, lambda x: _weighted(p, information, x), cuts)
    except VanishesError:
        return math.inf


def integral(
    p: Density,
    integrand: Real,
    cuts: Iterable[float] = (),
    support: tuple[float, float] | None = None,
) -> float:
    """Integral over x in pieces: cut at the points of ``p`` and at ``cuts``."""
    low, high = support or p.support
    inside = {x for x in (*p.points, *p.support, *cuts) if low < x < high and math.isfinite(x)}
    edges = [low, *sorted(inside), high]
    return _settled(p, [_piece(integrand, a, b, edges) for a, b in pairwise(edges)])


def check_mass(p: Density) -> None:
    """Refuse a density whose integral is not 1, unless its quantiles are known."""
    if p.quantiles:
        return
    mass = integral(p, lambda x: exponential(p.log_beside_pole(x)))
    if not abs(mass - 1) <= MASS:
        raise DomainError(
            f"{p.function}: {p.argument} must be a density that integrates to 1, got {mass:.9g} "
            f"over ({p.support[0]:g}, {p.support[1]:g}); give support=(low, high), and points= "
            "near its mass if it is narrow or far from 0"
        )


def exponential(log: float) -> float:
    """exp, of -inf too."""
    return math.exp(log) if log > -math.inf else 0.0


def _weighted(p: Density, information: Information, x: float) -> float:
    log_p = p.log_beside_pole(x)
    density = exponential(log_p)
    return density * weighing(density / p.peak, information, x, log_p) if density else 0.0


def weighing(weight: float, information: Callable[..., float], *at: Any) -> float:
    """``information(*at)``, or 0 where the model vanishes at a point of no weight."""
    try:
        return information(*at)
    except VanishesError:
        if weight > NEGLIGIBLE:
            raise
        return 0.0


def _over_probability(
    p: Density, quantiles: Quantiles, information: Information, cuts: Iterable[float]
) -> float:
    def at(quantile: Real, u: float) -> float:
        x = quantile(u)
        log_p = p.log_beside_pole(x)
        if u > POLE and p.log(x) == math.inf:
            raise ArithmeticError(
                f"{p.function}: more than {POLE:g} of the probability of {p.argument} lies closer "
                f"to its pole at {x:g} than floating point can tell apart; shift the pole to 0, "
                "or integrate the density of the logarithm of the variable"
            )
        return weighing(u, information, x, log_p)

    pieces = []
    for quantile, mass in (
        (quantiles.lower, quantiles.mass_below),
        (quantiles.upper, quantiles.mass_above),
    ):
        levels = sorted({0.0, *LEVELS, *(u for u in map(mass, cuts) if 0 < u < 0.5)})
        pieces += [_quad(lambda u, f=quantile: at(f, u), a, b) for a, b in pairwise(levels)]
    return _settled(p, pieces)


def _settled(p: Density, pieces: list[tuple[float, float]]) -> float:
    value, error = (math.fsum(column) for column in zip(*pieces, strict=True))
    if not error <= ABSOLUTE + RELATIVE * abs(value):
        raise ArithmeticError(
            f"{p.function}: an integral over {p.argument} does not settle: {value:.9g} with an "
            f"estimated error of {error:.2g}; it may be infinite, or need points= where a density "
            "changes quickly"
        )
    return value


def _piece(integrand: Real, a: float, b: float, edges: list[float]) -> tuple[float, float]:
    if math.isfinite(a) == math.isfinite(b):
        return _quad(integrand, a, b)
    finite = [edge for edge in edges if math.isfinite(edge)]
    scale = finite[-1] - finite[0] if len(finite) > 1 else 1.0
    edge, sign = (a, 1.0) if math.isfinite(a) else (b, -1.0)

    def mapped(t: float) -> float:  # x = edge +- scale t / (1 - t)
        value = integrand(edge + sign * scale * t / (1 - t))
        return value * scale / (1 - t) ** 2 if value else 0.0

    return _quad(mapped, 0.0, 1.0)


def _quad(integrand: Real, a: float, b: float) -> tuple[float, float]:
    try:
        from scipy.integrate import quad
    except ImportError as error:
        raise MissingExtraError("study", "an integral over a continuous distribution") from error
    with np.errstate(all="ignore"):
        answer: Any = quad(integrand, a, b, epsabs=1e-14, epsrel=1e-11, limit=200, full_output=1)
    return answer[0], answer[1]
