"""Logistic regressions on samples in which one class is rare, by each loss, and their measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import lossary as L
from lossary.study.descent import of_linear_model
from lossary.study.experiment import Progress
from lossary.study.needs import need

PLAIN, MOVED, BALANCED = "cross-entropy", "cross-entropy, moved", "balanced"
GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Choice:
    """A loss, its hyper-parameters, and whether 0.5 is replaced by the share of positives."""

    name: str
    loss: Any
    parameters: Mapping[str, float]
    moved: bool = False

    def arguments(self, label: np.ndarray) -> dict[str, float]:
        """Return the hyper-parameters, with the class counts that balancing asks for."""
        if self.name != BALANCED:
            return dict(self.parameters)
        positives = float(label.sum())
        return {"positives": positives, "negatives": label.size - positives}


CHOICES = (
    Choice(PLAIN, L.binary_cross_entropy, {}),
    Choice(MOVED, L.binary_cross_entropy, {}, moved=True),
    Choice(BALANCED, L.balanced_cross_entropy, {}),
    *(Choice(f"focal({gamma:g})", L.focal, {"gamma": gamma}) for gamma in GAMMAS),
)
NAMES = tuple(choice.name for choice in CHOICES)
MEASURES = ("average precision", "recall", "precision", "calibration error", "gradient on wrong")
BINS = 15


@dataclass(frozen=True)
class Settings:
    """Negatives for each positive, the number of examples, and how many negatives are hard.

    Positives lie around (1, 1), easy negatives around (-2, 1), hard negatives around (1, -1), all
    with unit spread in these two features and in two more that say nothing.
    """

    ratios: tuple[int, ...] = (1, 10, 100, 1000)
    repetitions: int = 3
    training: int = 40_000
    test: int = 100_000
    hard_share: float = 0.1


@dataclass(frozen=True)
class Sample:
    """A design with a column of ones, and labels 0 or 1."""

    design: np.ndarray
    label: np.ndarray


def draw_sample(rng: np.random.Generator, settings: Settings, count: int, ratio: int) -> Sample:
    """Draw ``count`` examples with exactly one positive in ``ratio + 1``."""
    positives = max(1, round(count / (ratio + 1)))
    hard = round(settings.hard_share * (count - positives))
    label, centre = np.zeros(count), np.tile([-2.0, 1.0, 0.0, 0.0], (count, 1))
    label[:positives] = 1.0
    centre[:positives, 0] = 1.0
    centre[positives : positives + hard, :2] = 1.0, -1.0
    return Sample(np.column_stack([np.ones(count), centre + rng.normal(size=centre.shape)]), label)


def fit(choice: Choice, sample: Sample) -> np.ndarray:
    """Return the coefficients that minimise the mean loss, by L-BFGS on Lossary's gradient."""
    from scipy.optimize import minimize

    arguments = choice.arguments(sample.label)
    mean = of_linear_model(choice.loss, sample.design, sample.label, **arguments)
    start = np.zeros(sample.design.shape[1])
    options = {"ftol": 1e-13, "gtol": 1e-8, "maxiter": 500}
    found = minimize(mean, start, jac=True, method="L-BFGS-B", options=options)
    return found.x


def calibration_error(probability: np.ndarray, label: np.ndarray) -> float:
    """Return the expected calibration error over 15 equal bins of the predicted probability.

    The sum over bins of (share of examples) * |mean prediction - share of positives|: Guo et al.
    2017, arXiv:1706.04599, eq. 5, here for the probability of class 1.
    """
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    predicted = np.bincount(bins, probability, BINS)
    actual = np.bincount(bins, label, BINS)
    return float(np.abs(predicted - actual).sum() / label.size)


def gradient_on_wrong(choice: Choice, sample: Sample, logit: np.ndarray) -> float:
    """Return the share of the absolute gradient that comes from examples predicted wrongly."""
    arguments = choice.arguments(sample.label)
    pull = np.abs(
        choice.loss.gradient(logit, sample.label, reduction="sum", check=False, **arguments)
    )
    wrong = (logit > 0) != (sample.label > 0)
    return float(pull[wrong].sum() / pull.sum())


def evaluate(train: Sample, test: Sample) -> list[tuple[float, ...]]:
    """Fit every loss on one sample and return its measures on the other.

    The gradients of all losses are compared at one place, the fit with cross-entropy.
    """
    from sklearn.metrics import average_precision_score, confusion_matrix

    results, reference = [], fit(CHOICES[0], train)
    for choice in CHOICES:
        coefficients = reference if choice.moved else fit(choice, train)
        probability = 1 / (1 + np.exp(-(test.design @ coefficients)))
        called = probability >= (train.label.mean() if choice.moved else 0.5)
        (_, false_alarms), (missed, found) = confusion_matrix(test.label, called)
        results.append(
            (
                float(average_precision_score(test.label, probability)),
                float(found / (found + missed)),
                float(found / max(1, found + false_alarms)),
                calibration_error(probability, test.label),
                gradient_on_wrong(choice, train, train.design @ reference),
            )
        )
    return results


def fit_all(settings: Settings, seed: int, progress: Progress) -> np.ndarray:
    """Return measures as (ratio, choice, repetition, measure); the losses share the samples."""
    need("sklearn")
    need("scipy")
    total = len(settings.ratios) * settings.repetitions
    results = np.empty((len(settings.ratios), len(CHOICES), settings.repetitions, len(MEASURES)))
    for place, ratio in enumerate(settings.ratios):
        for repetition in range(settings.repetitions):
            progress(place * settings.repetitions + repetition, total, f"1:{ratio}")
            rng = np.random.default_rng((seed, ratio, repetition))
            train = draw_sample(rng, settings, settings.training, ratio)
            test = draw_sample(rng, settings, settings.test, ratio)
            results[place, :, repetition] = evaluate(train, test)
    progress(total, total, "done")
    return results


def modulation(gamma: float, probability: np.ndarray) -> np.ndarray:
    """Return focal loss over cross-entropy for a true class predicted with ``probability``."""
    logit, ones = np.log(probability / (1 - probability)), np.ones_like(probability)
    focal = L.focal(logit, ones, gamma=gamma, reduction="none")
    return np.asarray(focal / L.binary_cross_entropy(logit, ones, reduction="none"))
