"""Linear regression while a growing share of the targets is grossly wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

import lossary as L
from lossary.study import outlier_pictures as pictures
from lossary.study.descent import minimise
from lossary.study.experiment import Progress, Study
from lossary.study.needs import need
from lossary.study.report import Claim, Column, Report, Table


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
    Choice("quantile(0.5)", L.quantile, {"quantile": 0.5}),
    Choice("quantile(0.9)", L.quantile, {"quantile": 0.9}),
)
DELTAS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


@dataclass(frozen=True)
class Settings:
    """Repetitions, examples in each, features, shares of wrong targets, and how wrong they are."""

    repetitions: int = 20
    samples: int = 300
    features: int = 9
    shares: tuple[float, ...] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
    shift: float = 30.0
    shift_spread: float = 10.0
    tuned_share: float = 0.2


@dataclass(frozen=True)
class Sample:
    """A design with a column of ones, targets of which some are wrong, and the true coefficients."""

    design: np.ndarray
    target: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """Coefficient errors as (choice, share, repetition), and those of the cross-validated delta."""

    errors: np.ndarray
    tuned_errors: np.ndarray
    tuned_deltas: np.ndarray
    fixed_errors: np.ndarray

    def median(self, name: str) -> np.ndarray:
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

    def value_and_gradient(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = choice.loss.value_and_gradient(
            design @ coefficients, target, check=False, **choice.parameters
        )
        return float(value), design.T @ gradient

    return minimise(value_and_gradient, np.zeros(design.shape[1])).point


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


def measure(settings: Settings, seed: int, progress: Progress) -> Outcome:
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
    """Mean loss, and gradient at the outlier, of nine predictions of 1 and one of 1000 (item 54)."""
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


def run(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Report:
    """Measure, then report."""
    outcome = measure(settings, seed, progress)
    thought, totals = ten_predictions(), peaks(seed)
    return Report(
        study="outliers",
        title="Linear regression with gross outliers in the targets",
        seed=seed,
        settings=asdict(settings),
        tables=(*error_tables(settings, outcome), single_table(thought, totals)),
        learned=learned(settings, outcome),
        claims=claims(settings, outcome, thought, totals, limits(settings, seed)),
        series=pictures.panels(settings.shares, outcome.errors, CHOICES),
    )


def error_tables(settings: Settings, outcome: Outcome) -> tuple[Table, Table]:
    """Median error, and its spread, for each loss and share."""
    columns = (Column("loss"), *(Column(f"{share:.0%}", ".2f") for share in settings.shares))
    low, middle, high = np.quantile(outcome.errors, (0.25, 0.5, 0.75), axis=-1)
    names = [choice.name for choice in CHOICES]
    medians, spreads = (
        tuple((name, *row) for name, row in zip(names, values.tolist(), strict=True))
        for values in (middle, (high - low) / 2)
    )
    note = (
        f"Distance to the true coefficients over {settings.repetitions} repetitions:"
        f" {settings.samples} examples, {settings.features} features and an intercept, noise 1;"
        f" wrong targets lie {settings.shift:g} ± {settings.shift_spread:g} too high. quantile(0.5)"
        " is half of absolute, so the two fits coincide."
    )
    return (
        Table("Median error of the coefficients by share of wrong targets", columns, medians),
        Table("Spread of that error (half the interquartile range)", columns, spreads, note),
    )


def single_table(thought: Mapping[str, tuple[float, float]], totals: Mapping[str, float]) -> Table:
    """The article's thought experiment, and the case where the far values matter."""
    columns = (
        Column("loss"),
        Column("mean loss", ",.2f"),
        Column("gradient at 1000", ",.4g"),
        Column("error of the total", "+.1%"),
    )
    rows = tuple((name, *thought[name], totals[name]) for name in thought)
    note = (
        "Mean loss and gradient: ten predictions of the truth 1, one of them 1000, the rest 1."
        " Error of the total: the best constant for 1,000 days of which 100 are real peaks ten"
        " times higher."
    )
    return Table("One wild value, and values that are wild but real", columns, rows, note)


def learned(settings: Settings, outcome: Outcome) -> str:
    """Say which losses survive and which break."""
    last = settings.shares[-1]
    medians = {choice.name: outcome.median(choice.name) for choice in CHOICES}
    broken = [name for name, errors in medians.items() if errors[-1] > 1.0]
    sound = [name for name, errors in medians.items() if errors[-1] <= 1.0]
    price = medians["absolute"][0] / medians["squared"][0] - 1
    lost = [
        share
        for share, error in zip(settings.shares, medians["quantile(0.9)"], strict=True)
        if error > 1.0
    ]
    asymmetric = f"passes 1 at {lost[0]:.0%} wrong targets" if lost else "stays within 1"
    return (
        f"At {settings.shares[0]:.0%} wrong targets the squared error recovers the coefficients to"
        f" within {medians['squared'][0]:.2f}; the absolute error is {price:+.0%} off that. At"
        f" {last:.0%} it is {medians['squared'][-1]:.2f} with squared,"
        f" {medians['absolute'][-1]:.2f} with absolute, and {medians['huber(0.1)'][-1]:.2f},"
        f" {medians['huber(1)'][-1]:.2f}, {medians['huber(10)'][-1]:.2f} with Huber at delta 0.1, 1"
        " and 10: a delta far above the noise is squared error in disguise. Within 1 stay"
        f" {', '.join(sound) or 'none'}; not so {', '.join(broken) or 'none'}. quantile(0.9), which"
        f" aims at the upper tail, {asymmetric}. Cross-validation on the absolute error chose delta"
        f" {np.median(outcome.tuned_deltas):g} in the median, with error"
        f" {np.median(outcome.tuned_errors):.2f} at {settings.tuned_share:.0%} wrong targets."
    )


def claims(
    settings: Settings,
    outcome: Outcome,
    thought: Mapping[str, tuple[float, float]],
    totals: Mapping[str, float],
    apart: tuple[float, float],
) -> tuple[Claim, ...]:
    """Put the articles' guidance beside the fits."""
    last = f"{settings.shares[-1]:.0%}"
    squared, absolute = outcome.median("squared"), outcome.median("absolute")
    small, middle, large = (outcome.median(f"huber({delta})") for delta in ("0.1", "1", "10"))
    tuned, fixed = np.median(outcome.tuned_errors), np.median(outcome.fixed_errors, axis=-1)
    mean_squared, slope_squared = thought["squared"]
    mean_absolute, slope_absolute = thought["absolute"]
    return (
        Claim(
            "54",
            "B",
            "one prediction of 1000 among ten dominates MSE (about 99 800), hardly MAE (about"
            " 99.9)",
            f"{mean_squared:,.1f} and {mean_absolute:.1f}",
            bool(round(mean_squared, 1) == 99800.1 and round(mean_absolute, 1) == 99.9),
        ),
        Claim(
            "61, 67",
            "BE",
            "outliers that are corruption: choose MAE, it is robust",
            f"at {last} outliers error {absolute[-1]:.2f} with absolute, {squared[-1]:.2f} with"
            " squared",
            bool(absolute[-1] < squared[-1] / 3),
        ),
        Claim(
            "67",
            "B",
            "outliers that are the signal: choose MSE",
            "with real peaks the squared constant misses the total by"
            f" {abs(totals['squared']):.1%}, the absolute one by {abs(totals['absolute']):.1%}",
            bool(abs(totals["squared"]) < 0.001 and abs(totals["absolute"]) > 0.1),
        ),
        Claim(
            "67, 69",
            "B",
            "Huber is the robust compromise",
            f"delta 1: {middle[0]:.2f} without outliers (squared {squared[0]:.2f}, absolute "
            f"{absolute[0]:.2f}), {middle[-1]:.2f} at {last}; delta 10: {large[-1]:.2f} at {last}",
            bool(middle[0] <= absolute[0] and middle[-1] < squared[-1] / 3),
        ),
        Claim(
            "67",
            "B",
            "choose delta by cross-validation",
            f"error {tuned:.2f} with the delta chosen in each repetition; best fixed delta"
            f" {DELTAS[int(fixed.argmin())]:g} {fixed.min():.2f}, worst"
            f" {DELTAS[int(fixed.argmax())]:g} {fixed.max():.2f}",
            bool(tuned <= 1.25 * fixed.min()),
        ),
        Claim(
            "69",
            "B",
            "MSE: gradient explosion by outliers; MAE: constant gradient",
            f"gradient at the outlier {slope_squared:,.0f} and {slope_absolute:g}",
            bool(slope_squared == 1998.0 and slope_absolute == 1.0),
        ),
        Claim(
            "E4",
            "B",
            "Huber tends to MSE for delta to 0, to MAE for delta to infinity",
            f"the other way round: at delta 1e6 the fit is {apart[0]:.0e} from the squared fit, at"
            f" 1e-6 {apart[1]:.0e} from the absolute one; at {last} outliers delta 0.1, 1, 10 give"
            f" {small[-1]:.2f}, {middle[-1]:.2f}, {large[-1]:.2f}",
            False if max(apart) < 1e-3 else None,
        ),
    )


study = Study(
    "outliers",
    "Linear regression with 0 to 30 % gross outliers: which losses keep the coefficients.",
    Settings(),
    run,
)
