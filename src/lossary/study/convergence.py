"""How many gradient steps squared, Huber and absolute error need at equal learning rates.

Article [B] says that MSE converges faster than MAE, article [E] that L2 converges more slowly than L1.
The gradients 2r and sign(r) cross at |r| = 1/2, so both can be right; this study counts where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import lossary as L
from lossary.study.experiment import Progress, Study
from lossary.study.report import Axis, Claim, Column, Curve, Level, Panel, Report, Table

LOSSES: Mapping[str, Any] = {
    "squared": L.squared_error,
    "huber(1)": L.huber,
    "absolute": L.absolute_error,
}


@dataclass(frozen=True)
class Settings:
    """Distances from the target at the start, learning rates, and what counts as arrived."""

    distances: tuple[float, ...] = (0.05, 0.2, 0.5, 1.0, 3.0, 10.0, 100.0)
    rates: tuple[float, ...] = (0.01, 0.1, 1.1)
    tolerance: float = 0.01
    limit: int = 20_000
    noises: tuple[float, ...] = (0.0, 0.3, 3.0)
    samples: int = 1000
    features: int = 5


@dataclass(frozen=True)
class Descent:
    """Steps until |residual| is at most the tolerance (-1: never), and the least |residual| met."""

    steps: np.ndarray
    least: np.ndarray

    def known(self) -> list[int | None]:
        return [int(count) if count >= 0 else None for count in self.steps]


def descend(loss: Any, starts: np.ndarray, rate: float, tolerance: float, limit: int) -> Descent:
    """Move many single predictions towards 0, each by gradient descent on its own loss."""
    residual, target = starts.astype(float), np.zeros(starts.size)
    steps = np.full(starts.size, -1)
    least = np.abs(residual)
    for step in range(limit + 1):
        least = np.minimum(least, np.abs(residual))
        steps[(steps < 0) & (least <= tolerance)] = step
        if (steps >= 0).all() or not np.isfinite(residual).all() or np.abs(residual).max() > 1e12:
            break
        _, gradient = loss.value_and_gradient(residual, target, reduction="sum", check=False)
        residual = residual - rate * gradient
    return Descent(steps, least)


def path(loss: Any, start: float, rate: float, steps: int) -> list[float]:
    """Return |residual| before each step and after the last."""
    residual, target, met = np.array([start]), np.zeros(1), []
    for _ in range(steps + 1):
        met.append(abs(float(residual[0])))
        residual = residual - rate * loss.gradient(residual, target, check=False)
    return met


def regression(settings: Settings, seed: int, noise: float) -> dict[str, int | None]:
    """Count full-batch steps until all coefficients are within 0.05 of the loss's own minimum.

    The start is 3 away in each coefficient; the minimum is where a hundredfold smaller rate, run on
    from the end, comes to rest, which is the least-squares solution for the squared error.
    """
    rng = np.random.default_rng((seed, int(1000 * noise)))
    design = rng.normal(size=(settings.samples, settings.features))
    truth = np.full(settings.features, 3.0)
    target = design @ truth + noise * rng.normal(size=settings.samples)
    return {
        name: regression_steps(loss, design, target, truth, settings)
        for name, loss in LOSSES.items()
    }


def regression_steps(
    loss: Any, design: np.ndarray, target: np.ndarray, truth: np.ndarray, settings: Settings
) -> int | None:
    """Return the first step at which no coefficient is further than 5 % of its start from the truth."""
    coefficients, close = np.zeros_like(truth), 0.05 * np.abs(truth)
    rate = settings.rates[0]
    for step in range(settings.limit + 1):
        if (np.abs(coefficients - truth) <= close).all():
            return step
        gradient = loss.gradient(design @ coefficients, target, check=False)
        coefficients -= rate * (design.T @ gradient)
    return None
