"""Logistic regression while one class becomes rare: what balancing and focal loss change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lossary.study.experiment import Progress, Study
from lossary.study.imbalance_fits import (
    BALANCED,
    BINS,
    GAMMAS,
    MEASURES,
    MOVED,
    NAMES,
    PLAIN,
    Settings,
    fit_all,
    modulation,
)
from lossary.study.report import Axis, Claims, Curve, Findings, Mark, Measured, Panel
from lossary.tables import Column, Table


def run(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Findings:
    """Measure, then report."""
    results = fit_all(settings, seed, progress)
    middle = np.median(results, axis=2)
    return Findings(
        tables=(measures_table(settings, middle), modulation_table()),
        learned=learned(settings, middle),
        claims=CLAIMS.against(Evidence(settings.ratios, middle)),
        series=panels(settings.ratios, results),
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
    return Table(columns, rows, "What each loss gives as one class becomes rare", note)


def modulation_table() -> Table:
    """(1 − p_t)^γ at a few probabilities, from the losses themselves."""
    probability = np.array([0.1, 0.5, 0.9, 0.99])
    rows = tuple(
        (float(p), *(float(modulation(gamma, np.array([p]))[0]) for gamma in GAMMAS))
        for p in probability
    )
    columns = (Column("p_t", "g"), *(Column(f"γ = {gamma:g}", ".3g") for gamma in GAMMAS))
    note = (
        "What focal loss leaves of the cross-entropy of one example whose true class has"
        " probability p_t."
    )
    return Table(columns, rows, "The modulation (1 − p_t)^γ", note)


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


# What the articles claim, each beside the fits.


@dataclass(frozen=True)
class Evidence:
    """The ratios, and the median of each measure by ratio and loss."""

    ratios: Sequence[int]
    middle: np.ndarray

    @property
    def most(self) -> str:
        """The ratio at which the class is rarest."""
        return f"1:{self.ratios[-1]}"

    def rarest(self, *names: str) -> list[np.ndarray]:
        """Return the measures of losses where the class is rarest."""
        return [self.middle[-1, NAMES.index(name)] for name in names]


CLAIMS = Claims[Evidence]()


@CLAIMS.says(
    "30", "B", "with few positives the negatives dominate the loss; balancing corrects that"
)
def negatives_dominate(seen: Evidence) -> Measured:
    """Recall as the class becomes rare."""
    first = seen.middle[0, NAMES.index(PLAIN)][1]
    plain, balanced = (measures[1] for measures in seen.rarest(PLAIN, BALANCED))
    return (
        f"recall of the rare class falls from {first:.3f} at 1:{seen.ratios[0]} to {plain:.3f} at"
        f" {seen.most} with cross-entropy, to {balanced:.3f} when balanced"
    ), plain < 0.5 * first and balanced > 0.9 * first


@CLAIMS.says("66", "B", "imbalance: choose balanced cross-entropy")
def balanced_is_better(seen: Evidence) -> Measured:
    """Recall and average precision, and what a threshold does."""
    plain, balanced, moved = seen.rarest(PLAIN, BALANCED, MOVED)
    return (
        f"at {seen.most} recall {balanced[1]:.3f} against {plain[1]:.3f}, but average precision"
        f" {balanced[0]:.3f} against {plain[0]:.3f}; moving the threshold gives recall"
        f" {moved[1]:.3f}"
    ), both(balanced[1] > plain[1], balanced[0] >= plain[0])


@CLAIMS.says("31, 66", "B", "imbalance: choose focal loss")
def focal_is_better(seen: Evidence) -> Measured:
    """The same of focal loss."""
    plain, focal = seen.rarest(PLAIN, "focal(2)")
    return (
        f"at {seen.most} with gamma 2 recall {focal[1]:.3f} against {plain[1]:.3f}, average"
        f" precision {focal[0]:.3f} against {plain[0]:.3f} (a linear model; focal loss was made for"
        " deep detectors)"
    ), both(focal[1] > plain[1] + 0.01, focal[0] > plain[0] + 0.01)


@CLAIMS.says(
    "19", "B", "what matters is that the gradient, not only the value, focuses on hard samples"
)
def hard_samples(seen: Evidence) -> Measured:
    """Whose gradient it is."""
    pulls = [measures[4] for measures in seen.rarest(*(f"focal({g:g})" for g in GAMMAS))]
    told = ", ".join(f"{gamma:g}: {pull:.0%}" for gamma, pull in zip(GAMMAS, pulls, strict=True))
    return f"share of the gradient on wrong examples at gamma {told}", np.all(np.diff(pulls) > 0)


@CLAIMS.says("31", "B", "focal loss extends cross-entropy: gamma 0 is cross-entropy")
def gamma_of_zero(seen: Evidence) -> Measured:
    """Focal loss without focus."""
    same = float(np.abs(seen.middle[:, NAMES.index("focal(0)")] - seen.middle[:, 0]).max())
    return f"all measures agree within {same:.0e}", same < 1e-3


@CLAIMS.says("62", "B", "focal loss multiplies cross-entropy by (1 − p_t)^γ")
def the_factor(_: Evidence) -> Measured:
    """Focal loss over cross-entropy, from the losses themselves."""
    grid = np.linspace(0.01, 0.99, 99)
    exact = max(np.abs(modulation(g, grid) / (1 - grid) ** g - 1).max() for g in GAMMAS)
    return f"the ratio of the two losses is that power within {exact:.0e}", exact < 1e-12


def both(left: object, right: object) -> bool | None:
    """Return the common verdict of two, or ``None`` when they differ."""
    return bool(left) if bool(left) == bool(right) else None


def panels(ratios: Sequence[int], results: np.ndarray) -> tuple[Panel, ...]:
    """Three measures by ratio, and what is left of the loss (item 62)."""
    share = (-0.02, 1.02)
    return (
        measure_panel(ratios, results, "average precision", "Average precision", share),
        measure_panel(ratios, results, "recall", "Recall of the rare class", share),
        measure_panel(ratios, results, "calibration error", "Calibration error", None),
        modulation_panel(),
    )


def measure_panel(
    ratios: Sequence[int],
    results: np.ndarray,
    measure: str,
    title: str,
    limits: tuple[float, float] | None,
) -> Panel:
    """Median and range over the repetitions, without the rows that are cross-entropy again.

    Moving the threshold is the lesson of the study; it changes what depends on a threshold.
    """
    curves, place = [], MEASURES.index(measure)
    again = {"focal(0)"} if measure == "recall" else {MOVED, "focal(0)"}
    for index, name in enumerate(NAMES):
        if name in again:
            continue
        low, middle, high = np.quantile(results[:, index, :, place], (0, 0.5, 1), axis=-1).tolist()
        x = [float(ratio) for ratio in ratios]
        curves.append(Curve(name, x, middle, low, high, style="points and line"))
    return Panel(
        f"{title} (median, range)",
        Axis("negatives for each positive", "log"),
        Axis(measure, limits=limits),
        tuple(curves),
        # The two curves that keep their recall lie on each other: one of them is named in place.
        marks=tuple(
            Mark("cross-entropy, threshold moved", curve.x[-1], curve.y[-1])
            for curve in curves
            if curve.label == MOVED and curve.y[-1] is not None
        ),
        legend="none" if measure == "calibration error" else "best",
    )


def modulation_panel() -> Panel:
    """Focal loss over cross-entropy by the probability of the true class."""
    probability = np.linspace(0.005, 0.995, 199)
    curves = tuple(
        Curve(
            f"focal({gamma:g})" if gamma else PLAIN,
            probability.tolist(),
            modulation(gamma, probability).tolist(),
        )
        for gamma in GAMMAS
    )
    return Panel(
        "Focal loss / cross-entropy = (1 − p)^γ",
        Axis("probability p of the true class"),
        Axis("what is left of the loss"),
        curves,
        legend="none",
    )


study: Study = Study(
    "imbalance",
    "One class becomes rare",
    "One class becomes rare, down to 1:1000: what balancing and focal loss buy and cost.",
    Settings(),
    run,
)
