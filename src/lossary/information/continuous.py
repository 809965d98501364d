"""Information of continuous distributions, in nats: the sums become integrals."""

from __future__ import annotations

import math
from typing import Any

from lossary.information.density import Density, Support, density_of
from lossary.information.quadrature import (
    VanishesError,
    check_mass,
    expectation,
    exponential,
    integral,
    weighing,
)


def densities(
    function: str, named: dict[str, Any], support: Support | None, points: Any
) -> tuple[Density, ...]:
    """Read and check the densities of one integral."""
    found = tuple(density_of(function, n, v, support, points) for n, v in named.items())
    for density in found:
        check_mass(density)
    return found


def entropy(p: Density) -> float:
    """Differential entropy: integral of -p log p."""
    return expectation(p, lambda _, log_p: -log_p)


def cross_entropy(p: Density, q: Density) -> float:
    """Integral of -p log q; infinite where q vanishes on a set that p does not."""
    if _sticks_out(p, q):
        return math.inf
    return expectation(p, lambda x, _: -_log_beside_zero(q, x), [q])


def relative_entropy(p: Density, q: Density) -> float:
    """Integral of p log(p / q)."""
    if _sticks_out(p, q):
        return math.inf
    if p.quantiles:
        value = expectation(p, lambda x, log_p: log_p - _log_beside_zero(q, x), [q])
        return max(value, 0.0)  # Gibbs' inequality: less than 0 is an error of the quadrature
    both = min(p.support[0], q.support[0]), max(p.support[1], q.support[1])
    try:
        return integral(p, lambda x: _bregman(p, q, x), (*q.points, *q.support), both)
    except VanishesError:
        return math.inf


def _bregman(p: Density, q: Density, x: float) -> float:
    """p log(p/q) - p + q, which integrates to the same and is nowhere negative."""
    log_p = p.log_beside_pole(x)
    density = exponential(log_p)
    if not density:
        return exponential(q.log_beside_pole(x))
    difference = weighing(density / p.peak, lambda: log_p - _log_beside_zero(q, x))
    if abs(difference) > 0.1:
        return density * (difference - 1) + exponential(q.log_beside_pole(x))
    return density * _exponential_excess(-difference)


def _exponential_excess(d: float) -> float:
    """exp(d) - 1 - d = d^2/2 (1 + d/3 (1 + d/4 (...))), for abs(d) up to 0.1."""
    total = 1.0
    for k in range(12, 2, -1):
        total = 1 + total * d / k
    return total * d * d / 2


def _log_beside_zero(q: Density, x: float) -> float:
    """log q(x); a single zero of q has no mass, so its neighbours tell whether this is one."""
    here = q.log_beside_pole(x)
    if here > -math.inf:
        return here
    step = 1e-7 * max(abs(x), 1e-3)
    beside = max(q.log(x - step), q.log(x + step))
    if beside == -math.inf:
        raise VanishesError
    return beside


def _sticks_out(p: Density, q: Density) -> bool:
    """Whether p has mass outside the support of q."""
    (low, high), (q_low, q_high) = p.support, q.support
    if p.quantiles:
        return p.quantiles.mass_below(q_low) > 0 or p.quantiles.mass_above(q_high) > 0
    outside = [(low, min(q_low, high)), (max(q_high, low), high)]
    mass = [
        integral(p, lambda x: exponential(p.log_beside_pole(x)), q.support, (a, b))
        for a, b in outside
        if a < b
    ]
    return any(m > 0 for m in mass)
