"""The panels of the outlier study: error by share, and the loss and gradient curves of item 59."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossary.study.report import Axis, Curve, Panel

CURVES = ("squared", "absolute", "huber(0.1)", "huber(10)")


def panels(
    shares: Sequence[float], errors: np.ndarray, choices: Sequence[Any]
) -> tuple[Panel, ...]:
    """Return the four panels; ``errors`` is (choice, share, repetition)."""
    drawn = [choice for choice in choices if choice.name in CURVES]
    near, far = np.linspace(-2.5, 2.5, 401), np.linspace(-25, 25, 401)
    residual, loss = "prediction - target", "loss"
    return (
        error_panel(shares, errors, choices),
        Panel(
            "Losses near zero",
            Axis(residual),
            Axis(loss, limits=(0.0, 3.0)),
            curves(drawn, near, gradient=False),
            legend="upper center",
        ),
        Panel(
            "Losses far away",
            Axis(residual),
            Axis(loss, limits=(0.0, 220.0)),
            curves(drawn, far, gradient=False),
            legend="none",
        ),
        Panel(
            "Gradients: how hard one example pulls",
            Axis(residual),
            Axis("gradient", "symlog"),
            curves(drawn, far, gradient=True),
            legend="none",
        ),
    )


def error_panel(shares: Sequence[float], errors: np.ndarray, choices: Sequence[Any]) -> Panel:
    """Median error with its quartiles, without ``quantile(0.5)``: it coincides with ``absolute``."""
    drawn = []
    for choice, measured in zip(choices, errors, strict=True):
        if choice.name == "quantile(0.5)":
            continue
        low, middle, high = np.quantile(measured, (0.25, 0.5, 0.75), axis=-1).tolist()
        percent = [100.0 * share for share in shares]
        drawn.append(Curve(choice.name, percent, middle, low, high, style="points and line"))
    return Panel(
        "Error of the coefficients (median, quartiles)",
        Axis("share of wrong targets (%)"),
        Axis("distance to the truth", "log"),
        tuple(drawn),
    )


def curves(choices: Sequence[Any], residual: np.ndarray, *, gradient: bool) -> tuple[Curve, ...]:
    """Evaluate each loss, or its gradient, over the residuals."""
    made, zero = [], np.zeros_like(residual)
    for choice in choices:
        function = choice.loss.gradient if gradient else choice.loss
        values = function(residual, zero, reduction="none", **choice.parameters)
        made.append(Curve(choice.name, residual.tolist(), np.asarray(values).tolist()))
    return tuple(made)
