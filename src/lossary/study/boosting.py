"""Boosters: each loss against the nearest objective that the host has built in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from lossary.study.boosting_fits import EVERY, TASKS, Fits, Settings, fit_all
from lossary.study.experiment import Progress, Study
from lossary.study.report import Axis, Curve, Panel, Report
from lossary.tables import Column, Table

DRAWN = ("focal", "quantile", "huber", "negative_binomial")
ALIKE = 5e-4
"""Ratios of held-out losses nearer to 1 are called equal."""


def run(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Report:
    """Fit, then report."""
    fits = fit_all(settings, seed, progress)
    return Report(
        study="boosting",
        title="Any loss in a booster",
        seed=seed,
        settings=asdict(settings),
        tables=(losses_table(settings, fits),),
        learned=learned(fits),
        claims=(),
        series=tuple(panel(name, fits[name], settings) for name in DRAWN),
    )


def losses_table(settings: Settings, fits: Mapping[str, Fits]) -> Table:
    """The loss of held-out rows: of the built-in's model, and of ours."""
    rows = []
    for task in TASKS:
        own, ours = fits[task.loss].chosen.T
        trees = np.median(fits[task.loss].valid.argmin(axis=-1) + 1, axis=0) * EVERY
        cells = (float(np.median(own)), float(np.median(ours)), ratio(fits[task.loss]))
        better = f"{int((ours < own).sum())} of {len(own)}"
        rows.append((task.loss, task.own, *cells, better, *trees.tolist()))
    columns = (
        Column("loss"),
        Column("nearest built-in"),
        *(Column(name, ".4f") for name in ("built-in", "ours", "ratio")),
        Column("ours lower"),
        *(Column(name, ".0f") for name in ("its trees", "our trees")),
    )
    note = (
        f"The loss of {settings.held_out:,} held-out rows, median of {settings.repetitions} draws"
        f" of the data; both models are trained on {settings.rows:,} rows, with the number of trees"
        f" (up to {settings.trees}) at which the loss of {settings.rows:,} others is least. The"
        " loss is that of the first column for both models; lambdarank: 1 - NDCG; cumulative_link"
        " against softmax: minus the log-probability of the grade. LightGBM for lambdarank, XGBoost"
        " for the others; 5 features, of which two matter; one thread."
    )
    title = "Held-out loss of the nearest built-in and of the loss itself"
    return Table(columns, rows, title, note)


def ratio(fits: Fits) -> float:
    """Return the median of our loss over the built-in's."""
    own, ours = fits.chosen.T
    return float(np.median(ours / own))


def learned(fits: Mapping[str, Fits]) -> str:
    """Say where the loss itself pays, and where it does not."""
    found = {name: ratio(one) for name, one in fits.items()}
    lower = [n for n, x in found.items() if x < 1 - ALIKE]
    higher = [n for n, x in found.items() if x > 1 + ALIKE]
    equal = [n for n in found if n not in lower + higher]
    return (
        f"Trained with the loss itself, held-out rows cost less with {told(lower, found)} than"
        " with the nearest objective that the host has built in. They cost the same with"
        f" {told(equal, found)}, and more with {told(higher, found)}. Focal loss and expectiles"
        " have another minimiser than what is built in: there most can be gained. Where the"
        " built-in is the same loss, or has the same minimiser, there is little to gain, and one"
        " that replaces each leaf by the exact quantile does what no objective can."
    )


def told(names: list[str], found: Mapping[str, float]) -> str:
    """Return losses with the change of theirs, as words."""
    return ", ".join(f"{n} ({found[n] - 1:+.1%})" for n in names) or "none"


def panel(name: str, fits: Fits, settings: Settings) -> Panel:
    """The held-out loss by number of trees, with the range over the repetitions."""
    task = next(task for task in TASKS if task.loss == name)
    trees = list(range(EVERY, settings.trees + 1, EVERY))
    curves = []
    for place, label in enumerate((task.own, "ours")):
        low, middle, high = np.quantile(fits.test[:, place], (0, 0.5, 1), axis=0).tolist()
        curves.append(Curve(label, trees, middle, low, high, style="solid"))
    title = f"{name}: held-out loss (median, range)"
    return Panel(title, Axis("trees"), Axis(f"mean {name}"), tuple(curves))


study: Study = Study(
    "boosting",
    "Ten losses in XGBoost and LightGBM, each against the nearest objective that is built in.",
    Settings(),
    run,
)
