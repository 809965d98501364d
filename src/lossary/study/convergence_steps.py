"""Counts of gradient steps: of single predictions, and of a linear regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import lossary as L
from lossary.study.descent import minimise, of_linear_model
from lossary.study.experiment import Progress

SQUARED, HUBER, ABSOLUTE = "squared", "huber(1)", "absolute"
LOSSES: Mapping[str, Any] = {
    SQUARED: L.squared_error,
    HUBER: L.huber,
    ABSOLUTE: L.absolute_error,
}


@dataclass(frozen=True)
class Settings:
    """Starts, learning rates and what counts as arrived.

    The starts lie half a step off the grid of the middle rate, so that the absolute error, which
    moves by whole steps, does not land on the target by luck.
    """

    distances: tuple[float, ...] = (0.05, 0.25, 0.75, 1.25, 3.75, 10.25, 100.25)
    rates: tuple[float, ...] = (0.01, 0.1, 1.1)
    tolerance: float = 0.015
    limit: int = 20_000
    batch_distances: tuple[float, ...] = (0.1, 1.0, 10.0)
    batch_noises: tuple[float, ...] = (0.0, 1.0)
    samples: int = 1000
    features: int = 5


@dataclass(frozen=True)
class Descent:
    """Steps until |residual| is at most the tolerance (-1: never), and the least |residual| met."""

    steps: np.ndarray
    least: np.ndarray

    def known(self) -> list[int | None]:
        """Return the steps with ``None`` for never."""
        return [int(count) if count >= 0 else None for count in self.steps]


def descend(loss: Any, starts: np.ndarray, rate: float, tolerance: float, limit: int) -> Descent:
    """Move many single predictions towards 0, each by gradient descent on its own loss."""
    residual, target = np.array(starts, dtype=float), np.zeros(len(starts))
    steps, least = np.full(len(starts), -1), np.abs(residual)
    for step in range(limit + 1):
        least = np.minimum(least, np.abs(residual))
        steps[(steps < 0) & (least <= tolerance)] = step
        if (steps >= 0).all() or np.abs(residual).max() > 1e9:
            break
        residual = residual - rate * loss.gradient(residual, target, reduction="sum", check=False)
    return Descent(steps, least)


def trajectory(loss: Any, start: float, rate: float, steps: int) -> list[float]:
    """Return |residual| before each step and after the last."""
    residual, target, met = np.array([start]), np.zeros(1), []
    for _ in range(steps + 1):
        met.append(abs(float(residual[0])))
        residual = residual - rate * loss.gradient(residual, target, check=False)
    return met


def batch_steps(
    loss: Any, distance: float, noise: float, settings: Settings, seed: int
) -> int | None:
    """Count full-batch steps of a linear regression to within a tenth of the start's distance.

    Each coefficient starts ``distance`` away from the truth; the goal is the loss's own minimum.
    """
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(settings.samples, settings.features))
    target = distance * design.sum(axis=1) + noise * rng.normal(size=settings.samples)
    mean = of_linear_model(loss, design, target)
    coefficients = np.zeros(settings.features)
    goal = minimise(mean, coefficients).point
    near = 0.1 * float(np.linalg.norm(goal))
    for step in range(settings.limit + 1):
        if np.linalg.norm(coefficients - goal) <= near:
            return step
        coefficients = coefficients - settings.rates[0] * mean(coefficients)[1]
    return None


@dataclass(frozen=True)
class Outcome:
    """All measurements: by loss and rate, over a fine grid of starts, and on batches."""

    settings: Settings
    single: Mapping[tuple[str, float], Descent]
    grid: np.ndarray
    fine: Mapping[str, Descent]
    batch: Mapping[tuple[float, float], Mapping[str, int | None]]

    def steps(self, rate: float, place: int) -> list[int | None]:
        """Return the steps of all losses at one rate from one start."""
        return [self.single[name, rate].known()[place] for name in LOSSES]

    def last_lead(self, name: str) -> float | None:
        """Return the farthest start from which absolute error needs fewer steps than ``name``."""
        fewer = self.fine[ABSOLUTE].steps < self.fine[name].steps
        return float(self.grid[fewer][-1]) if fewer.any() else None


def descend_all(settings: Settings, seed: int, progress: Progress) -> Outcome:
    """Run every descent."""
    batches = [(far, noise) for noise in settings.batch_noises for far in settings.batch_distances]
    total = len(settings.rates) + 1 + len(batches)
    starts = np.array(settings.distances)
    single = {}
    for done, rate in enumerate(settings.rates):
        progress(done, total, f"rate {rate:g}")
        for name, loss in LOSSES.items():
            single[name, rate] = descend(loss, starts, rate, settings.tolerance, settings.limit)
    progress(len(settings.rates), total, "fine grid of starts")
    grid = np.geomspace(1.5 * settings.tolerance, max(settings.distances), 400)
    fine = {
        name: descend(loss, grid, settings.rates[0], settings.tolerance, settings.limit)
        for name, loss in LOSSES.items()
    }
    batch = {}
    for done, (far, noise) in enumerate(batches, start=len(settings.rates) + 1):
        progress(done, total, f"batch from {far:g} with noise {noise:g}")
        batch[far, noise] = {
            name: batch_steps(loss, far, noise, settings, seed) for name, loss in LOSSES.items()
        }
    progress(total, total, "done")
    return Outcome(settings, single, grid, fine, batch)


def gradient_crossing() -> float:
    """Find by bisection the |residual| at which squared and absolute error pull equally hard."""
    low, high, zero = 1e-3, 1e3, np.zeros(1)
    for _ in range(80):
        middle = (low + high) / 2
        at = np.array([middle])
        if L.squared_error.gradient(at, zero)[0] < L.absolute_error.gradient(at, zero)[0]:
            low = middle
        else:
            high = middle
    return (low + high) / 2
