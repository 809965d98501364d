"""Logistic regression while one class becomes rare: what balancing and focal loss change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import lossary as L
from lossary.study import imbalance_pictures as pictures
from lossary.study.experiment import Progress, Study
from lossary.study.needs import need
from lossary.study.report import Claim, Column, Report, Table

PLAIN, MOVED, BALANCED = "cross-entropy", "ditto, moved", "balanced"
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
    repetitions: int = 5
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

    def value_and_gradient(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = choice.loss.value_and_gradient(
            sample.design @ coefficients, sample.label, check=False, **arguments
        )
        return float(value), sample.design.T @ gradient

    start = np.zeros(sample.design.shape[1])
    options = {"ftol": 1e-13, "gtol": 1e-8, "maxiter": 500}
    found = minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
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
    from sklearn.metrics import average_precision_score, precision_recall_fscore_support

    results, reference = [], fit(CHOICES[0], train)
    for choice in CHOICES:
        coefficients = reference if choice.moved else fit(choice, train)
        probability = 1 / (1 + np.exp(-(test.design @ coefficients)))
        called = probability >= (train.label.mean() if choice.moved else 0.5)
        precision, recall, _, _ = precision_recall_fscore_support(
            test.label, called, average="binary", zero_division=0.0
        )
        results.append(
            (
                float(average_precision_score(test.label, probability)),
                float(recall),
                float(precision),
                calibration_error(probability, test.label),
                gradient_on_wrong(choice, train, train.design @ reference),
            )
        )
    return results


def measure(settings: Settings, seed: int, progress: Progress) -> np.ndarray:
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


def run(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Report:
    """Measure, then report."""
    results = measure(settings, seed, progress)
    middle = np.median(results, axis=2)
    return Report(
        study="imbalance",
        title="One class becomes rare",
        seed=seed,
        settings=asdict(settings),
        tables=(measures_table(settings, middle), modulation_table()),
        learned=learned(settings, middle),
        claims=claims(settings, middle),
        series=pictures.panels(settings.ratios, results, NAMES, MEASURES, GAMMAS),
    )


def measures_table(settings: Settings, middle: np.ndarray) -> Table:
    """The median of each measure by ratio and loss."""
    rows = tuple(
        (f"1:{ratio}", name, *middle[place, index].tolist())
        for place, ratio in enumerate(settings.ratios)
        for index, name in enumerate(NAMES)
    )
    columns = (
        Column("ratio"),
        Column("loss"),
        Column("AP", ".3f"),
        Column("recall", ".3f"),
        Column("precision", ".3f"),
        Column("calibration", ".4f"),
        Column("on wrong", ".0%"),
    )
    note = (
        f"Median of {settings.repetitions} repetitions: logistic regression on"
        f" {settings.training:,} examples, measured on {settings.test:,}. AP: average precision."
        f" Recall and precision of the rare class at threshold 0.5; in the row '{MOVED}' the same"
        " cross-entropy fit at the share of positives. Calibration: expected calibration error,"
        f" over {BINS} equal bins of the predicted probability the mean |prediction - share of"
        " positives| weighted by examples. On wrong: at the cross-entropy fit, the share of the"
        " loss's gradient that comes from examples on the wrong side of 0.5."
    )
    return Table("What each loss gives as one class becomes rare", columns, rows, note)


def modulation(gamma: float, probability: np.ndarray) -> np.ndarray:
    """Return focal loss over cross-entropy for a true class predicted with ``probability``."""
    logit, ones = np.log(probability / (1 - probability)), np.ones_like(probability)
    focal = L.focal(logit, ones, gamma=gamma, reduction="none")
    return np.asarray(focal / L.binary_cross_entropy(logit, ones, reduction="none"))


def modulation_table() -> Table:
    """(1 - p_t)^gamma at a few probabilities, from the losses themselves."""
    probability = np.array([0.1, 0.5, 0.9, 0.99])
    rows = tuple(
        (float(p), *(float(modulation(gamma, np.array([p]))[0]) for gamma in GAMMAS))
        for p in probability
    )
    columns = (Column("p_t", "g"), *(Column(f"gamma {gamma:g}", ".3g") for gamma in GAMMAS))
    note = (
        "What focal loss leaves of the cross-entropy of one example whose true class has"
        " probability p_t."
    )
    return Table("The modulation (1 - p_t)^gamma", columns, rows, note)


def learned(settings: Settings, middle: np.ndarray) -> str:
    """Say what re-weighting buys and what it costs."""
    last = dict(zip(NAMES, middle[-1], strict=True))
    plain, moved, balanced = last[PLAIN], last[MOVED], last[BALANCED]
    focal, sharp = last["focal(2)"], last[f"focal({GAMMAS[-1]:g})"]
    return (
        f"At 1:{settings.ratios[-1]} cross-entropy finds {plain[1]:.1%} of the rare class at"
        f" threshold 0.5, focal loss (gamma 2) {focal[1]:.1%}, balanced cross-entropy"
        f" {balanced[1]:.1%}. But the same cross-entropy fit finds {moved[1]:.1%} once its"
        f" threshold is moved to the share of positives, with precision {moved[2]:.2%} where"
        f" balancing has {balanced[2]:.2%}. Average precision, which needs no threshold, is"
        f" {plain[0]:.3f} with cross-entropy, {balanced[0]:.3f} balanced, {focal[0]:.3f} with focal"
        f" loss. Balancing raises the calibration error from {plain[3]:.4f} to {balanced[3]:.4f},"
        f" focal loss to {focal[3]:.4f} at gamma 2 and {sharp[3]:.4f} at gamma {GAMMAS[-1]:g},"
        f" although it does what it promises: at one and the same fit {sharp[4]:.0%} of its"
        f" gradient comes from wrong examples, {plain[4]:.0%} with cross-entropy. For a model this"
        " simple, move the threshold first."
    )


def claims(settings: Settings, middle: np.ndarray) -> tuple[Claim, ...]:
    """Put the articles' guidance beside the fits."""
    first, last = (dict(zip(NAMES, middle[place], strict=True)) for place in (0, -1))
    ratio, plain, balanced, focal = (
        settings.ratios[-1],
        last[PLAIN],
        last[BALANCED],
        last["focal(2)"],
    )
    pulls = [last[f"focal({gamma:g})"][4] for gamma in GAMMAS]
    same = float(np.abs(middle[:, NAMES.index("focal(0)")] - middle[:, 0]).max())
    grid = np.linspace(0.01, 0.99, 99)
    exact = max(np.abs(modulation(g, grid) / (1 - grid) ** g - 1).max() for g in GAMMAS)
    return (
        Claim(
            "30",
            "B",
            "with few positives the negatives dominate the loss; balancing corrects that",
            f"recall of the rare class falls from {first[PLAIN][1]:.3f} at 1:{settings.ratios[0]}"
            f" to {plain[1]:.3f} at 1:{ratio} with cross-entropy, to {balanced[1]:.3f} when"
            " balanced",
            bool(plain[1] < 0.5 * first[PLAIN][1] and balanced[1] > 0.9 * first[PLAIN][1]),
        ),
        Claim(
            "66",
            "B",
            "imbalance: choose balanced cross-entropy",
            f"at 1:{ratio} recall {balanced[1]:.3f} against {plain[1]:.3f}, but average precision"
            f" {balanced[0]:.3f} against {plain[0]:.3f}; moving the threshold gives recall"
            f" {last[MOVED][1]:.3f}",
            both(balanced[1] > plain[1], balanced[0] >= plain[0]),
        ),
        Claim(
            "31, 66",
            "B",
            "imbalance: choose focal loss",
            f"at 1:{ratio} with gamma 2 recall {focal[1]:.3f} against {plain[1]:.3f}, average"
            f" precision {focal[0]:.3f} against {plain[0]:.3f} (a linear model; focal loss was made"
            " for deep detectors)",
            both(focal[1] > plain[1] + 0.01, focal[0] > plain[0] + 0.01),
        ),
        Claim(
            "19",
            "B",
            "what matters is that the gradient, not only the value, focuses on hard samples",
            "share of the gradient on wrong examples at gamma "
            + ", ".join(
                f"{gamma:g}: {pull:.0%}" for gamma, pull in zip(GAMMAS, pulls, strict=True)
            ),
            bool(np.all(np.diff(pulls) > 0)),
        ),
        Claim(
            "31",
            "B",
            "focal loss extends cross-entropy: gamma 0 is cross-entropy",
            f"all measures agree within {same:.0e}",
            same < 1e-3,
        ),
        Claim(
            "62",
            "B",
            "focal loss multiplies cross-entropy by (1 - p_t)^gamma",
            f"the ratio of the two losses is that power within {exact:.0e}",
            bool(exact < 1e-12),
        ),
    )


def both(left: object, right: object) -> bool | None:
    """Return the common verdict of two, or ``None`` when they differ."""
    return bool(left) if bool(left) == bool(right) else None


study = Study(
    "imbalance",
    "One class becomes rare, down to 1:1000: what balancing and focal loss buy and cost.",
    Settings(),
    run,
)
