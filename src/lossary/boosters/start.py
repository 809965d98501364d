"""Where training starts: the margin of the best constant model, in float64.

Hosts that are given an objective start at 0 or 0.5, whatever the labels are, and the first trees
are spent on getting to the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossary.boosters.rules import Rule
from lossary.errors import DomainError

Numbers = NDArray[Any]


def start_of(rule: Rule, labels: Any, weight: Any, outputs: int) -> Numbers:
    """Return the margin of each output at which the weighted loss of a constant is least.

    Labels are those of all rows, weights of shape (rows,) or None. DomainError if no finite margin
    is best, as for labels of one class only.

    >>> import lossary as L
    >>> from lossary.boosters.margins import LINKS
    >>> rule = Rule(L.poisson, ({},), LINKS["exp"])
    >>> start_of(rule, np.array([1.0, 3.0]), None, 1).round(6).tolist()
    [0.693147]
    """
    y = np.asarray(labels)
    if y.dtype.kind != "f" or y.dtype.itemsize < 8:
        y = y.astype(np.float64)
    if rule.loss.class_axis:
        return _of_classes(rule, y, weight, outputs)
    if outputs > 1:
        columns = y if y.ndim == 2 else np.broadcast_to(y[:, None], (len(y), outputs))
        one = [replace(rule, settings=(s,)) for s in rule.settings] * outputs
        found = [_of_one(one[k], columns[:, k], weight) for k in range(outputs)]
        return np.array(found)
    return np.array([_of_one(rule, y.reshape(-1), weight)])


def _of_one(rule: Rule, y: Numbers, weight: Any) -> float:
    closed = _CLOSED.get(rule.name)
    settings = rule.settings[0]
    found = closed(y, weight, settings) if closed else None
    if found is None:
        found = _searched(rule, y, weight)
    if not np.isfinite(found):
        raise _unbounded(rule, y)
    return float(found)


def _unbounded(rule: Rule, y: Numbers) -> DomainError:
    return DomainError(
        f"{rule.name}: no finite constant is best for these labels, which go from {y.min()} to "
        f"{y.max()}\nhint: training needs labels of both kinds; start=0.0 trains all the same"
    )


def _mean(y: Numbers, weight: Any, settings: Any) -> float:
    return float(np.average(y, weights=weight))


def _log_mean(y: Numbers, weight: Any, settings: Any) -> float:
    with np.errstate(divide="ignore"):
        return float(np.log(_mean(y, weight, settings)))


def _log_odds(y: Numbers, weight: Any, settings: Any) -> float | None:
    if settings.get("positive_weight", 1.0) != 1:
        return None
    share = _mean(y, weight, settings)
    with np.errstate(divide="ignore"):
        return float(np.log(share) - np.log1p(-share))


def quantile_of(y: Numbers, weight: Any, share: float) -> float:
    """Return a quantile: interpolated as NumPy does, and with weights the lower one."""
    if weight is None:
        return float(np.quantile(y, share))
    order = np.argsort(y, kind="stable")
    below = np.cumsum(weight[order], dtype=np.float64)
    place = np.searchsorted(below, share * below[-1], side="left")
    return float(y[order][min(place, len(y) - 1)])


_CLOSED: dict[str, Callable[[Numbers, Any, Any], float | None]] = {
    "squared_error": _mean,
    "half_squared_error": _mean,
    "poisson": _log_mean,
    "gamma": _log_mean,
    "tweedie": _log_mean,
    "negative_binomial": _log_mean,
    "binary_cross_entropy": _log_odds,
    "absolute_error": lambda y, weight, settings: quantile_of(y, weight, 0.5),
    "quantile": lambda y, weight, settings: quantile_of(y, weight, settings.get("quantile", 0.5)),
}
"""Best constants in closed form."""

_FARTHEST = 2.0**7
"""Margins beyond this are no start: exp of them is astronomical."""


def _searched(rule: Rule, y: Numbers, weight: Any) -> float:
    """Return the best of a grid of constants, made exact by the zero of the slope beside it."""
    from scipy.optimize import brentq

    w = None if weight is None else np.asarray(weight, np.float64)
    if rule.loss.inputs[1].domain.name in {"Sign", "Binary"}:  # a million rows are two
        y, place = np.unique(y, return_inverse=True)
        w = np.bincount(place, w).astype(np.float64)
    data = rule.data(y, y.shape)
    constant, slopes = np.empty(len(y)), np.empty(len(y))

    def slope(margin: float) -> float:
        constant.fill(margin)
        rule.gradient(constant, data, w, slopes)
        return float(slopes.sum())

    grid = _grid(rule, data[0])
    cost = [rule.value(np.full(len(y), margin), data, w) for margin in grid]
    best = int(np.argmin(cost))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    at_low, at_high = slope(low), slope(high)
    if at_low < 0 < at_high:
        found: Any = brentq(slope, low, high, xtol=1e-14)
        return float(found)
    if 0 in {at_low, at_high} or 0 < best < len(grid) - 1:
        return float(grid[best])
    return np.inf


def _grid(rule: Rule, y: Numbers) -> Numbers:
    """Return constants of which one lies near the best, or beyond which none is."""
    if rule.link.name in {"identity", "above_minus_one"}:
        found = np.unique(np.quantile(y, np.linspace(0, 1, 33)))
        if rule.loss.inputs[1].domain.name in {"Sign", "Binary", "Unit"}:
            found = np.linspace(-4, 4, 33)
        return found if len(found) > 2 else np.linspace(found[0] - 1, found[-1] + 1, 5)
    wide = 2.0 ** np.arange(-4, 8)
    return np.concatenate([-wide[::-1], [0.0], wide])


def _of_classes(rule: Rule, y: Numbers, weight: Any, outputs: int) -> Numbers:
    """Return a margin for each class; of losses that no common shift changes, those with mean 0."""
    from scipy.optimize import minimize

    rows, counts = _merged(rule, y, weight, outputs)
    if rule.name == "cross_entropy" and not rule.settings[0].get("label_smoothing"):
        return _log_shares(rule, counts)
    data = rule.data(rows, (len(rows), outputs))
    slopes = np.empty((len(rows), outputs))
    share = counts / counts.sum()

    def cost(margin: Numbers) -> tuple[float, Numbers]:
        margins = np.broadcast_to(margin, slopes.shape).copy()
        rule.gradient(margins, data, share, slopes)
        return float(rule.value(margins, data, share)), slopes.sum(axis=0)

    found = minimize(cost, np.zeros(outputs), jac=True, method="BFGS", options={"gtol": 1e-9})
    if np.abs(found.x).max() > _FARTHEST or np.abs(found.jac).max() > 1e-4:
        raise _unbounded(rule, y)
    free = "shift_invariant" in rule.loss.promises
    return found.x - found.x.mean() if free else found.x


def _merged(rule: Rule, y: Numbers, weight: Any, outputs: int) -> tuple[Numbers, Numbers]:
    """Return labels that differ and the weight of each; rows of numbers as they are."""
    if y.ndim == 1 and rule.loss.inputs[1].domain.integer:
        rule.data(y, (len(y), outputs))  # labels that are none are refused
        return np.arange(outputs), np.bincount(y.astype(np.intp), weight, outputs).astype(float)
    return y, np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)


def _log_shares(rule: Rule, counts: Numbers) -> Numbers:
    if not counts.all():
        raise DomainError(
            f"{rule.name}: no label is {int(np.argmin(counts))} of {len(counts)} classes\n"
            "hint: number the classes from 0 without a gap, or give start="
        )
    return np.log(counts / counts.sum())
