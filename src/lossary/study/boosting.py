"""Boosters: each loss against the nearest objective that the host has built in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lossary.study.boosting_fits import EVERY, RATES, TASKS, Fits, Settings, Task, fit_all
from lossary.study.experiment import Progress, Study
from lossary.study.report import Axis, Curve, Findings, Panel
from lossary.tables import Column, Table

DRAWN = ("focal", "expectile", "cox_efron, rows in order", "quantile")
ALIKE = 5e-6
"""Ratios of held-out losses nearer to 1 are those of one model, but for rounding."""
HOSTS = {"xgboost": "XGBoost", "lightgbm": "LightGBM",
         "hist_gradient_boosting": "HistGradientBoosting"}  # fmt: skip


def run(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Findings:
    """Fit, then report."""
    fits = fit_all(settings, seed, progress)
    return Findings(
        tables=(losses_table(settings, fits), theory_table(fits)),
        learned=learned(fits),
        claims=(),
        series=tuple(panel(name, fits[name], settings) for name in DRAWN),
    )


def losses_table(settings: Settings, fits: Mapping[str, Fits]) -> Table:
    """The loss of held-out rows: of the built-in's model, and of ours."""
    rows = [row(task, fits[task.name]) for task in TASKS]
    columns = (
        Column("loss"),
        Column("host"),
        Column("nearest built-in"),
        *(Column(name, ".4f") for name in ("built-in", "ours", "ratio")),
        Column("error", ".4f"),
        Column("ours lower"),
        Column("its rate, trees"),
        Column("our rate, trees"),
    )
    note = (
        f"The loss of {settings.held_out:,} held-out rows, mean of {settings.repetitions} draws"
        f" of the data, and the mean ratio with its standard error. Both models are trained on"
        f" {settings.rows:,} rows, with the learning rate ({', '.join(map(str, RATES))}) and the"
        f" number of trees (up to {settings.trees}) at which the loss of {settings.rows:,} others"
        " is least; medians of both are shown. The loss is that of the first column for both"
        " models; lambdarank: 1 - NDCG; cumulative_link against softmax: minus the log-probability"
        " of the grade; tweedie and negative_binomial: half the deviance, the loss less that of who"
        " knows each label. 5 features, of which two or three matter; one thread."
    )
    title = "Held-out loss of the nearest built-in and of the loss itself"
    return Table(columns, rows, title, note)


def theory_table(fits: Mapping[str, Fits]) -> Table:
    """How the two models differ by theory, and whether that shows."""
    rows = [(t.name, t.own, t.theory, verdict(*ratio(fits[t.name]))) for t in TASKS]
    columns = ("loss", "built-in beside it", "how they differ by theory", "ours costs")
    return Table([Column(name) for name in columns], rows, "What theory says of the two")


def verdict(mean: float, error: float) -> str:
    """Say on which side of the built-in's loss ours lies, by more than two standard errors."""
    if abs(mean - 1) <= max(ALIKE, 2 * error):
        return "the same"
    return "less" if mean < 1 else "more"


def row(task: Task, fits: Fits) -> tuple[str | float, ...]:
    """What was found for one task."""
    own, ours = fits.chosen.T
    chosen = zip(np.median(fits.rates, axis=0), np.median(fits.trees, axis=0), strict=True)
    each = ours / own
    found = (float(own.mean()), float(ours.mean()), *ratio(fits))
    lower = f"{int((each < 1 - ALIKE).sum())} of {len(each)}"
    models = (f"{rate:g}, {trees:.0f}" for rate, trees in chosen)
    return (task.name, HOSTS[task.host], task.own, *found, lower, *models)


def ratio(fits: Fits) -> tuple[float, float]:
    """Return the mean of our loss over the built-in's, and its standard error."""
    own, ours = fits.chosen.T
    each = ours / own
    error = each.std(ddof=1) / np.sqrt(len(each)) if len(each) > 1 else 0.0
    return float(each.mean()), float(error)


def learned(fits: Mapping[str, Fits]) -> str:
    """Say where the loss itself pays, and where it does not."""
    found = {name: ratio(one) for name, one in fits.items()}
    lower, higher, equal = (
        [name for name, one in found.items() if verdict(*one) == word]
        for word in ("less", "more", "the same")
    )
    return (
        f"Trained with the loss itself, held-out rows cost less with {told(lower, found)} than"
        " with the nearest objective that the host has built in, and more with"
        f" {told(higher, found)}. Within two standard errors lie {told(equal, found)}. Focal loss"
        " and expectiles have another minimiser than what is built in: there most can be gained."
        " Where the built-in is the same loss, or has the same minimiser, there is little to gain,"
        " but for one case. Counts from 0 to ten thousands are all alike to a negative binomial,"
        " and to Poisson's loss those of large means are nearly all that counts."
        " XGBoost's quantile replaces each leaf by the exact quantile of its rows, which no"
        " objective can; HistGradientBoosting does so for ours too, and the models are equal."
        " XGBoost's Cox lets each of several deaths at one time push only the rows that stand"
        " behind it in the file. In shuffled rows that is as good as Efron's ties; in a file that"
        " is sorted by a feature it is not. Tweedie and the negative binomial are trained with the"
        " expected curvature, none of whose steps is longer than a factor of e."
    )


def told(names: list[str], found: Mapping[str, tuple[float, float]]) -> str:
    """Return losses with the change of theirs, as words."""
    return "; ".join(f"{n} ({found[n][0] - 1:+.2%})" for n in names) or "none"


def panel(name: str, fits: Fits, settings: Settings) -> Panel:
    """The held-out loss by number of trees, with the range over the repetitions."""
    task = next(task for task in TASKS if task.name == name)
    trees = list(range(EVERY, settings.trees + 1, EVERY))
    curves = []
    for place, label in enumerate((task.own, "ours")):
        low, middle, high = np.quantile(fits.curves[:, place], (0, 0.5, 1), axis=0).tolist()
        curves.append(Curve(label, trees, middle, low, high, style="solid"))
    title = f"{name}: held-out loss (median, range)"
    return Panel(title, Axis("trees"), Axis(f"mean {task.loss}"), tuple(curves))


study: Study = Study(
    "boosting",
    "Any loss in a booster",
    "Ten losses in boosters, each against the nearest objective that is built in.",
    Settings(),
    run,
)
