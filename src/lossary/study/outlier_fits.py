"""Fits of a linear model to partly wrong targets, by each of seven losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

import lossary as L
from lossary.study.descent import minimise, of_linear_model
from lossary.study.experiment import Progress
from lossary.study.needs import need


@dataclass(frozen=True)
class Choice:
    """A loss with its hyper-parameters, under the name that the tables use."""

    name: str
    loss: Any
    parameters: Mapping[str, float]


CHOICES = (
    Choice("squared", L.squared_error, {}),
    Choice("absolute", L.absolute_error, {}),
    Choice("huber(0.1)", L.huber, {"delta": 0.1}),
    Choice("huber(1)", L.huber, {"delta": 1.0}),
    Choice("huber(10)", L.huber, {"delta": 10.0}),
    Choice("log_cosh", L.log_cosh, {}),
    Choice("quantile(0.9)", L.quantile, {"quantile": 0.9}),
)
DELTAS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


@dataclass(frozen=True)
class Settings:
    """Repetitions, examples in each, features, shares of wrong targets, and how wrong they are."""

    repetitions: int = 15
    samples: int = 300
    features: int = 9
    shares: tuple[float, ...] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    shift: float = 30.0
    shift_spread: float = 10.0
    tuned_share: float = 0.2


@dataclass(frozen=True)
class Sample:
    """A design with a column of ones, targets, some of them wrong, and the true coefficients."""

    design: np.ndarray
    target: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """Errors of the coefficients: ``errors`` is (choice, share, repetition).

    The rest are Huber's at the tuned share: of the cross-validated delta in each repetition, that
    delta, and of each fixed delta as (delta, repetition).
    """

    errors: np.ndarray
    tuned_errors: np.ndarray
    tuned_deltas: np.ndarray
    fixed_errors: np.ndarray

    def median(self, name: str) -> np.ndarray:
        """Return the median error of one choice for each share."""
        index = [choice.name for choice in CHOICES].index(name)
        return np.median(self.errors[index], axis=-1)


def draw_sample(rng: np.random.Generator, settings: Settings, share: float) -> Sample:
    """Draw a linear model with unit noise and replace a share of the targets by gross errors."""
    design = np.column_stack(
        [np.ones(settings.samples), rng.normal(size=(settings.samples, settings.features))]
    )
    truth = rng.normal(scale=2.0, size=settings.features + 1)
    target = design @ truth + rng.normal(size=settings.samples)
    wrong = rng.permutation(settings.samples)[: round(share * settings.samples)]
    target[wrong] += settings.shift + settings.shift_spread * rng.normal(size=wrong.size)
    return Sample(design, target, truth)


def fit(choice: Choice, design: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the coefficients that minimise the mean loss."""
    mean = of_linear_model(choice.loss, design, target, **choice.parameters)
    return minimise(mean, np.zeros(design.shape[1])).point


def coefficient_error(choice: Choice, sample: Sample, found: np.ndarray) -> float:
    """Return the distance to the coefficients of what the loss estimates.

    All losses here estimate the centre of the symmetric unit noise, except ``quantile``, whose
    intercept is that quantile of the noise.
    """
    wanted = sample.truth.copy()
    wanted[0] += NormalDist().inv_cdf(choice.parameters.get("quantile", 0.5))
    return float(np.linalg.norm(found - wanted))


def cross_validated_delta(sample: Sample, seed: int) -> float:
    """Choose Huber's delta by five-fold cross-validation on the absolute error."""
    need("sklearn")
    from sklearn.model_selection import KFold

    scores = np.zeros(len(DELTAS))
    for train, test in KFold(5, shuffle=True, random_state=seed).split(sample.design):
        for index, delta in enumerate(DELTAS):
            choice = Choice("", L.huber, {"delta": delta})
            found = fit(choice, sample.design[train], sample.target[train])
            scores[index] += L.absolute_error(sample.design[test] @ found, sample.target[test])
    return DELTAS[int(scores.argmin())]


def fit_all(settings: Settings, seed: int, progress: Progress) -> Outcome:
    """Fit every loss to every sample; all losses see the same samples."""
    shape = (len(CHOICES), len(settings.shares), settings.repetitions)
    errors = np.empty(shape)
    tuned = np.empty((2, settings.repetitions))
    fixed = np.empty((len(DELTAS), settings.repetitions))
    for repetition in range(settings.repetitions):
        progress(repetition, settings.repetitions, "repetitions")
        rng = np.random.default_rng((seed, repetition))
        for place, share in enumerate(settings.shares):
            sample = draw_sample(rng, settings, share)
            for index, choice in enumerate(CHOICES):
                found = fit(choice, sample.design, sample.target)
                errors[index, place, repetition] = coefficient_error(choice, sample, found)
        sample = draw_sample(rng, settings, settings.tuned_share)
        for index, delta in enumerate(DELTAS):
            choice = Choice("", L.huber, {"delta": delta})
            found = fit(choice, sample.design, sample.target)
            fixed[index, repetition] = coefficient_error(choice, sample, found)
        delta = cross_validated_delta(sample, seed)
        tuned[:, repetition] = delta, fixed[DELTAS.index(delta), repetition]
    progress(settings.repetitions, settings.repetitions, "repetitions")
    return Outcome(errors, tuned[1], tuned[0], fixed)


def ten_predictions() -> dict[str, tuple[float, float]]:
    """Mean loss of nine predictions of 1 and one of 1000, and its gradient (item 54)."""
    prediction = np.ones(10)
    prediction[0] = 1000.0
    made = {}
    for choice in CHOICES[:5]:
        value = choice.loss(prediction, np.ones(10), **choice.parameters)
        slopes = choice.loss.gradient(
            prediction, np.ones(10), reduction="none", **choice.parameters
        )
        made[choice.name] = (float(value), float(np.asarray(slopes)[0]))
    return made


def peaks(seed: int) -> dict[str, float]:
    """Error of the predicted total when a tenth of the days are real peaks, by loss.

    Here the far values are the signal: 900 days around 10 and 100 days around 100.
    """
    rng = np.random.default_rng(seed)
    days = np.concatenate([rng.normal(10, 1, 900), rng.normal(100, 10, 100)])
    ones = np.ones((days.size, 1))
    constants = {choice.name: fit(choice, ones, days)[0] for choice in CHOICES[:5]}
    # Adding 0.0 turns the -0.0 of an exact total into 0.0.
    return {
        name: round(float(days.size * constant / days.sum() - 1), 9) + 0.0
        for name, constant in constants.items()
    }


def limits(settings: Settings, seed: int) -> tuple[float, float]:
    """Distance of Huber's fit to the squared one at a huge delta, to the absolute one at a tiny."""
    sample = draw_sample(np.random.default_rng(seed), settings, settings.tuned_share)
    fits = [
        fit(choice, sample.design, sample.target)
        for choice in (
            Choice("", L.huber, {"delta": 1e6}),
            CHOICES[0],
            Choice("", L.huber, {"delta": 1e-6}),
            CHOICES[1],
        )
    ]
    return float(np.abs(fits[0] - fits[1]).max()), float(np.abs(fits[2] - fits[3]).max())
