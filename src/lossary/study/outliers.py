"""Linear regression while a growing share of the targets is grossly wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lossary.study.experiment import Progress, Study
from lossary.study.outlier_fits import (
    CHOICES,
    DELTAS,
    Outcome,
    Settings,
    fit_all,
    limits,
    peaks,
    ten_predictions,
)
from lossary.study.report import Axis, Claims, Curve, Findings, Measured, Panel
from lossary.tables import Column, Table

CURVES = ("squared", "absolute", "huber(0.1)", "huber(1)", "huber(10)")


def run(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Findings:
    """Measure, then report."""
    outcome = fit_all(settings, seed, progress)
    thought, totals = ten_predictions(), peaks(seed)
    seen = Evidence(settings, outcome, thought, totals, limits(settings, seed))
    return Findings(
        tables=(*error_tables(settings, outcome), single_table(thought, totals)),
        learned=learned(settings, outcome),
        claims=CLAIMS.against(seen),
        series=panels(settings.shares, outcome.errors),
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
        " is left out: it is half of absolute and gives the same fit."
    )
    return (
        Table(columns, medians, "Median error of the coefficients by share of wrong targets"),
        Table(columns, spreads, "Spread of that error (half the interquartile range)", note),
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
    return Table(columns, rows, "One wild value, and values that are wild but real", note)


def learned(settings: Settings, outcome: Outcome) -> str:
    """Say which losses survive and which break."""
    last = settings.shares[-1]
    medians = {choice.name: outcome.median(choice.name) for choice in CHOICES}
    broken = [name for name, errors in medians.items() if errors[-1] > 1.0]
    sound = [name for name, errors in medians.items() if errors[-1] <= 1.0]
    lost = [
        share
        for share, error in zip(settings.shares, medians["quantile(0.9)"], strict=True)
        if error > 1.0
    ]
    asymmetric = f"passes 1 at {lost[0]:.0%} wrong targets" if lost else "stays within 1"
    return (
        f"With {settings.shares[0]:.0%} wrong targets squared error recovers the coefficients to"
        f" within {medians['squared'][0]:.2f}, absolute error to within"
        f" {medians['absolute'][0]:.2f}. With {last:.0%} it is {medians['squared'][-1]:.2f} and"
        f" {medians['absolute'][-1]:.2f}, and {medians['huber(0.1)'][-1]:.2f},"
        f" {medians['huber(1)'][-1]:.2f}, {medians['huber(10)'][-1]:.2f} with Huber at delta 0.1, 1"
        " and 10: a delta far above the noise is squared error in disguise. Within 1 stay"
        f" {', '.join(sound) or 'none'}; not so {', '.join(broken) or 'none'}. quantile(0.9), which"
        f" aims at the upper tail, {asymmetric}. Cross-validation on the absolute error chose delta"
        f" {np.median(outcome.tuned_deltas):g} in the median, with error"
        f" {np.median(outcome.tuned_errors):.2f} at {settings.tuned_share:.0%} wrong targets."
    )


# What the articles claim, each beside the fits.


@dataclass(frozen=True)
class Evidence:
    """What was measured; ``apart`` is how far extreme deltas are from squared and absolute."""

    settings: Settings
    outcome: Outcome
    thought: Mapping[str, tuple[float, float]]
    totals: Mapping[str, float]
    apart: tuple[float, float]

    @property
    def most(self) -> str:
        """The largest share of wrong targets."""
        return f"{self.settings.shares[-1]:.0%}"

    def errors(self, *names: str) -> list[np.ndarray]:
        """Return the median error of each loss, by share of wrong targets."""
        return [self.outcome.median(name) for name in names]


CLAIMS = Claims[Evidence]()


@CLAIMS.says(
    "54",
    "B",
    "one prediction of 1000 among ten dominates MSE (about 99 800), hardly MAE (about 99.9)",
)
def one_wild_value(seen: Evidence) -> Measured:
    """A thought experiment, in numbers."""
    squared, absolute = seen.thought["squared"][0], seen.thought["absolute"][0]
    return f"{squared:,.1f} and {absolute:.1f}", round(squared, 1) == 99800.1 and round(
        absolute, 1
    ) == 99.9


@CLAIMS.says("61, 67", "BE", "outliers that are corruption: choose MAE, it is robust")
def corrupted_targets(seen: Evidence) -> Measured:
    """Robust where outliers are mistakes."""
    squared, absolute = (errors[-1] for errors in seen.errors("squared", "absolute"))
    return (
        f"at {seen.most} outliers error {absolute:.2f} with absolute, {squared:.2f} with squared",
        absolute < squared / 3,
    )


@CLAIMS.says("67", "B", "outliers that are the signal: choose MSE")
def real_peaks(seen: Evidence) -> Measured:
    """Sensitive where outliers are what matters."""
    squared, absolute = abs(seen.totals["squared"]), abs(seen.totals["absolute"])
    return (
        f"with real peaks the squared constant misses the total by {squared:.1%}, the absolute one"
        f" by {absolute:.1%}"
    ), squared < 0.001 and absolute > 0.1


@CLAIMS.says("67, 69", "B", "Huber is the robust compromise")
def a_compromise(seen: Evidence) -> Measured:
    """As good as both, with the right delta."""
    squared, absolute, one, ten = seen.errors("squared", "absolute", "huber(1)", "huber(10)")
    return (
        f"delta 1: {one[0]:.2f} without outliers (squared {squared[0]:.2f}, absolute "
        f"{absolute[0]:.2f}), {one[-1]:.2f} at {seen.most}; delta 10: {ten[-1]:.2f} at {seen.most}"
    ), one[0] <= absolute[0] and one[-1] < squared[-1] / 3


@CLAIMS.says("67", "B", "choose delta by cross-validation")
def chosen_delta(seen: Evidence) -> Measured:
    """Cross-validation against the best fixed delta."""
    tuned = np.median(seen.outcome.tuned_errors)
    fixed = np.median(seen.outcome.fixed_errors, axis=-1)
    return (
        f"error {tuned:.2f} with the delta chosen in each repetition; best fixed delta"
        f" {DELTAS[int(fixed.argmin())]:g} {fixed.min():.2f}, worst"
        f" {DELTAS[int(fixed.argmax())]:g} {fixed.max():.2f}"
    ), tuned <= 1.25 * fixed.min()


@CLAIMS.says("69", "B", "MSE: gradient explosion by outliers; MAE: constant gradient")
def gradients(seen: Evidence) -> Measured:
    """One grows with the error, one does not."""
    squared, absolute = seen.thought["squared"][1], seen.thought["absolute"][1]
    return (
        f"gradient at the outlier {squared:,.0f} and {absolute:g}",
        squared == 1998.0 and absolute == 1.0,
    )


@CLAIMS.says("E4", "B", "Huber tends to MSE for delta to 0, to MAE for delta to infinity")
def limits_of_delta(seen: Evidence) -> Measured:
    """What Huber becomes at extreme deltas."""
    tenth, one, ten = (e[-1] for e in seen.errors("huber(0.1)", "huber(1)", "huber(10)"))
    return (
        f"the other way round: at delta 1e6 the fit is {seen.apart[0]:.1g} from the squared fit, at"
        f" 1e-6 {seen.apart[1]:.1g} from the absolute one; at {seen.most} outliers delta 0.1, 1, 10"
        f" give {tenth:.2f}, {one:.2f}, {ten:.2f}"
    ), False if max(seen.apart) < 1e-3 else None


# The figure.


def panels(shares: Sequence[float], errors: np.ndarray) -> tuple[Panel, ...]:
    """Error by share, and the loss and gradient curves of item 59."""
    near, far, residual = (
        np.linspace(-2.5, 2.5, 401),
        np.linspace(-25, 25, 401),
        "residual (prediction − target)",
    )
    return (
        error_panel(shares, errors),
        Panel(
            "Losses near zero",
            Axis(residual),
            Axis("loss", limits=(0.0, 3.0)),
            curves(near, gradient=False),
            legend="upper center",
        ),
        Panel(
            "Losses far away",
            Axis(residual),
            Axis("loss", limits=(0.0, 220.0)),
            curves(far, gradient=False),
            legend="none",
        ),
        Panel(
            "Gradients: how hard one example pulls",
            Axis(residual),
            Axis("gradient", "symlog"),
            curves(far, gradient=True),
            legend="none",
        ),
    )


def error_panel(shares: Sequence[float], errors: np.ndarray) -> Panel:
    """Median error with its quartiles."""
    drawn, percent = [], [100.0 * share for share in shares]
    for choice, measured in zip(CHOICES, errors, strict=True):
        low, middle, high = np.quantile(measured, (0.25, 0.5, 0.75), axis=-1).tolist()
        drawn.append(Curve(choice.name, percent, middle, low, high, style="points and line"))
    return Panel(
        "Error of the coefficients (median, quartiles)",
        Axis("share of wrong targets (%)"),
        Axis("distance to the truth", "log"),
        tuple(drawn),
    )


def curves(residual: np.ndarray, *, gradient: bool) -> tuple[Curve, ...]:
    """Evaluate the losses of item 59, or their gradients, over the residuals."""
    made, zero = [], np.zeros_like(residual)
    for choice in CHOICES:
        if choice.name in CURVES:
            function = choice.loss.gradient if gradient else choice.loss
            values = function(residual, zero, reduction="none", **choice.parameters)
            made.append(Curve(choice.name, residual.tolist(), np.asarray(values).tolist()))
    return tuple(made)


study: Study = Study(
    "outliers",
    "Linear regression with gross outliers in the targets",
    "Linear regression with 0 to 30 % gross outliers: which losses keep the coefficients.",
    Settings(),
    run,
)
