"""The panels of the imbalance study: measures by ratio, and the modulation curves of item 62."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import lossary as L
from lossary.study.report import Axis, Curve, Panel


def panels(
    ratios: Sequence[int],
    results: np.ndarray,
    names: Sequence[str],
    measures: Sequence[str],
    gammas: Sequence[float],
) -> tuple[Panel, ...]:
    """Return the panels; ``results`` is (ratio, choice, repetition, measure)."""
    return (
        measure_panel(ratios, results, names, measures.index("average precision"), "Average precision", "best"),
        measure_panel(ratios, results, names, measures.index("recall"), "Recall of the rare class at 0.5", "none"),
        measure_panel(ratios, results, names, measures.index("calibration error"), "Calibration error", "none"),
        modulation_panel(gammas),
    )  # fmt: skip


def measure_panel(
    ratios: Sequence[int], results: np.ndarray, names: Sequence[str], measure: int, title: str, legend: str
) -> Panel:  # fmt: skip
    """Median and range over the repetitions; ``focal(0)`` is left out, it is cross-entropy, and so is its moved threshold."""
    curves = []
    for index, name in enumerate(names):
        if name in {"focal(0)", "ditto, moved"}:
            continue
        values = results[:, index, :, measure]
        low, middle, high = np.quantile(values, (0.0, 0.5, 1.0), axis=-1).tolist()
        x = [float(ratio) for ratio in ratios]
        curves.append(Curve(name, x, middle, low, high, style="points and line"))
    return Panel(
        f"{title} (median, range)",
        Axis("negatives for each positive", "log"),
        Axis(title.lower(), limits=(-0.02, 1.02) if "rror" not in title else None),
        tuple(curves),
        legend=legend,
    )


def modulation_panel(gammas: Sequence[float]) -> Panel:
    """Focal loss over cross-entropy by the probability of the true class."""
    probability = np.linspace(0.005, 0.995, 199)
    logit, ones = np.log(probability / (1 - probability)), np.ones_like(probability)
    entropy = L.binary_cross_entropy(logit, ones, reduction="none")
    curves = tuple(
        Curve(
            f"focal({gamma:g})" if gamma else "cross-entropy",
            probability.tolist(),
            np.asarray(L.focal(logit, ones, gamma=gamma, reduction="none") / entropy).tolist(),
        )
        for gamma in gammas
    )
    return Panel(
        "Modulation: focal loss / cross-entropy = (1 - p)^gamma",
        Axis("probability p of the true class"),
        Axis("what is left of the loss"),
        curves,
        legend="none",
    )
