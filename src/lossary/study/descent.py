"""Minimise a convex function from its value and gradient, smooth or not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ValueAndGradient = Callable[[np.ndarray], tuple[float, np.ndarray]]
SUFFICIENT, CURVATURE = 1e-4, 0.9
"""The constants of the weak Wolfe conditions."""
FLAT, STILL = 1e-10, 1e-12
EVALUATIONS, ATTEMPTS = 4000, 30  # at most: in all, and along one direction


def of_linear_model(
    loss: Any, design: np.ndarray, target: np.ndarray, **parameters: float
) -> ValueAndGradient:
    """Return the mean loss of ``design @ coefficients``, with its gradient by the coefficients."""

    def value_and_gradient(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = loss.value_and_gradient(
            design @ coefficients, target, check=False, **parameters
        )
        return float(value), design.T @ gradient

    return value_and_gradient


@dataclass(frozen=True)
class Minimum:
    """Where the search ended, the value there, and the number of evaluations."""

    point: np.ndarray
    value: float
    evaluations: int


def minimise(
    function: ValueAndGradient,
    start: np.ndarray,
) -> Minimum:
    """Run BFGS with a weak Wolfe line search until nothing descends any more.

    The search ends when the gradient is ``FLAT`` times its first size, or when ten steps lower the
    value by less than ``STILL`` of itself: at a kink the gradient never becomes small. Lewis and
    Overton 2013, "Nonsmooth optimization via quasi-Newton methods", doi:10.1007/s10107-012-0514-2,
    show that this finds minima of kinked functions.
    """
    point = np.asarray(start, dtype=float)
    value, gradient = function(point)
    size = float(np.linalg.norm(gradient))
    used, inverse, recent = 1, np.eye(point.size) / max(1.0, size), deque([value], maxlen=10)
    while used < EVALUATIONS and np.linalg.norm(gradient) > FLAT * size:
        direction = -inverse @ gradient
        slope = float(gradient @ direction)
        if slope >= 0:
            break
        found, tried = weak_wolfe(function, point, value, direction, slope)
        used += tried
        if found is None:
            break
        new_point, new_value, new_gradient = found
        inverse = updated(inverse, new_point - point, new_gradient - gradient)
        point, value, gradient = new_point, new_value, new_gradient
        if len(recent) == 10 and recent[0] - value <= STILL * abs(value):
            break
        recent.append(value)
    return Minimum(point, value, used)


def weak_wolfe(
    function: ValueAndGradient,
    point: np.ndarray,
    value: float,
    direction: np.ndarray,
    slope: float,
) -> tuple[tuple[np.ndarray, float, np.ndarray] | None, int]:
    """Find a step with enough descent and a slope that has risen, by doubling and halving."""
    low, high, step = 0.0, np.inf, 1.0
    for attempt in range(1, ATTEMPTS + 1):
        trial = point + step * direction
        new_value, new_gradient = function(trial)
        if new_value >= value + SUFFICIENT * step * slope:
            high = step
        elif new_gradient @ direction < CURVATURE * slope:
            low = step
        else:
            return (trial, new_value, new_gradient), attempt
        step = 2 * low if np.isinf(high) else (low + high) / 2
    return None, ATTEMPTS


def updated(inverse: np.ndarray, move: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return the BFGS update of the inverse Hessian; the weak Wolfe conditions keep it positive."""
    curvature = float(move @ change)
    if curvature <= 0:
        return inverse
    left = np.eye(move.size) - np.outer(move, change) / curvature
    return left @ inverse @ left.T + np.outer(move, move) / curvature
