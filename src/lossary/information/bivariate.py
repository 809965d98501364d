"""Mutual information of a density of two numbers, by Gauss-Legendre quadrature on a grid."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from lossary.errors import DomainError, ShapeError
from lossary.information.density import Support
from lossary.information.discrete import information_of_joint
from lossary.information.units import NATS, Array

NODES = (12, 18)  # per piece; the finer grid gives the result, the coarser one its error
CUTS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 100.0)  # of an unbounded axis, on both sides of its origin
PARTS = 8  # of a bounded axis
TOLERANCE = 1e-6  # of the mass, and of the result by its own error estimate

Line = tuple[Support, Any]


@np.errstate(all="ignore")
def mutual_information(joint: Any, support: Any, points: Any) -> float:
    """Mutual information in nats.

    The weights w_i w_j of the grid cancel in the ratio of the joint to the product of its margins,
    so the mutual information of the masses w_i w_j f(x_i, y_j) is the quadrature of the integral.
    """
    supports = support if support is not None else ((-math.inf, math.inf),) * 2
    if len(supports) != 2 or len(points) != 2:
        raise ShapeError(
            "mutual_information: support and points of a density must be pairs, one for each "
            "variable, as in support=((0, 1), (0, 1))"
        )
    lines = (supports[0], points[0]), (supports[1], points[1])
    coarse, fine = (_information(_masses(joint, lines, nodes), lines) for nodes in NODES)
    if not abs(fine - coarse) <= TOLERANCE * max(1.0, fine):
        raise ArithmeticError(
            f"mutual_information: the integral does not settle: {coarse:.9g} on the coarser grid, "
            f"{fine:.9g} on the finer one; give support=, and points= for both variables where the "
            "density of joint changes quickly"
        )
    return fine


def _information(table: Array, lines: tuple[Line, Line]) -> float:
    mass = math.fsum(table.ravel())
    if not abs(mass - 1) <= TOLERANCE:
        raise DomainError(
            "mutual_information: joint must be a density that integrates to 1, got "
            f"{mass:.9g} over {lines[0][0]} by {lines[1][0]}; give support= for both variables, "
            "and points= near its mass if it is narrow or far from 0"
        )
    return float(information_of_joint(table, NATS))


def _masses(joint: Any, lines: tuple[Line, Line], nodes: int) -> Array:
    (x, x_weight), (y, y_weight) = (_grid(*line, nodes) for line in lines)
    density = _evaluate(joint, x, y)
    if not (density >= 0).all():
        i, j = np.argwhere(~(density >= 0))[0]
        raise DomainError(
            f"mutual_information: joint must be a density, at least 0, got {density[i, j]:g} at "
            f"({x[i]:g}, {y[j]:g}); for the logarithm pass an object with a logpdf method"
        )
    return density * x_weight[:, None] * y_weight


def _evaluate(joint: Any, x: Array, y: Array) -> Array:
    shape = len(x), len(y)
    try:
        with np.errstate(all="ignore"):
            if hasattr(joint, "logpdf"):
                pairs = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
                return np.exp(np.asarray(joint.logpdf(pairs))).reshape(shape)
            return np.broadcast_to(np.asarray(joint(x[:, None], y[None, :]), np.float64), shape)
    except (TypeError, ValueError) as error:
        raise ShapeError(
            f"mutual_information: joint must give one density for each of {shape} points, got "
            f"{error}; a function must accept two arrays, a distribution must be of two variables"
        ) from error


def _grid(support: Support, points: Any, nodes: int) -> tuple[Array, Array]:
    low, high = support
    cuts = [
        low,
        *sorted(float(p) for p in points or _default_cuts(support) if low < p < high),
        high,
    ]
    node, weight = np.polynomial.legendre.leggauss(nodes)
    pieces = [_piece(a, b, cuts, (node + 1) / 2, weight / 2) for a, b in pairwise(cuts)]
    return np.concatenate([x for x, _ in pieces]), np.concatenate([w for _, w in pieces])


def _piece(a: float, b: float, cuts: list[float], t: Array, weight: Array) -> tuple[Array, Array]:
    if math.isfinite(a) and math.isfinite(b):
        return a + (b - a) * t, (b - a) * weight
    scale = max(abs(c) for c in cuts if math.isfinite(c)) or 1.0
    away, growth = scale * t / (1 - t), scale / (1 - t) ** 2
    return (a + away if math.isfinite(a) else b - away), growth * weight


def _default_cuts(support: Support) -> list[float]:
    low, high = support
    if math.isfinite(low) and math.isfinite(high):
        return [low + (high - low) * k / PARTS for k in range(1, PARTS)]
    origin = next((end for end in support if math.isfinite(end)), 0.0)
    return [origin, *(origin + sign * cut for cut in CUTS for sign in (-1, 1))]
