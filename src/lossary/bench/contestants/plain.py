"""NumPy with SciPy as people write it, and scikit-learn's private losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossary.bench.contestant import Contestant, Prepared
from lossary.bench.work import CLASS_WEIGHT, Case, Data

Both = tuple[Any, Any]


def _squared(x: Any, t: Any) -> Both:
    error = x - t
    return (error**2).mean(), 2 * error / error.size


def _huber(x: Any, t: Any) -> Both:
    error = x - t
    size = np.abs(error)
    value = np.where(size <= 1, error**2 / 2, size - 0.5).mean()
    return value, np.clip(error, -1, 1) / error.size


def _binary_cross_entropy(x: Any, t: Any) -> Both:
    from scipy.special import expit

    return (np.logaddexp(0, x) - t * x).mean(), (expit(x) - t) / x.size


def _focal(x: Any, t: Any) -> Both:
    from scipy.special import expit, log_expit

    sign = 2 * t - 1
    p, log_p = expit(sign * x), log_expit(sign * x)
    missed = 1 - p
    slope = missed**2 * (2 * p * log_p - missed)
    return -(missed**2 * log_p).mean(), sign * slope / x.size


def _poisson(x: Any, t: Any) -> Both:
    rate = np.exp(x)
    return (rate - t * x).mean(), (rate - t) / x.size


def _cross_entropy(x: Any, t: Any, keep: Any = None) -> Both:
    from scipy.special import log_softmax

    rows = np.arange(len(x)) if keep is None else np.flatnonzero(keep)
    log_p = log_softmax(x if keep is None else x[rows], axis=-1)
    places = np.arange(len(rows)), t[rows]
    value = -log_p[places].mean()
    slope = np.exp(log_p)
    slope[places] -= 1
    slope /= len(rows)
    return value, slope if keep is None else _spread(slope, rows, x)


def _soft_cross_entropy(x: Any, t: Any, keep: Any = None) -> Both:
    from scipy.special import log_softmax

    rows = np.arange(len(x)) if keep is None else np.flatnonzero(keep)
    x_kept, t = (x, t) if keep is None else (x[rows], t[rows])
    log_p = log_softmax(x_kept, axis=-1)
    slope = (np.exp(log_p) - t) / len(rows)
    return -(t * log_p).sum(-1).mean(), slope if keep is None else _spread(slope, rows, x)


def _spread(slope: Any, rows: Any, like: Any) -> Any:
    """Return the gradient of all rows from that of some."""
    whole = np.zeros_like(like)
    whole[rows] = slope
    return whole


FORMULAS: dict[str, Callable[..., Both]] = {
    "squared_error": _squared,
    "huber": _huber,
    "binary_cross_entropy": _binary_cross_entropy,
    "focal": _focal,
    "poisson": _poisson,
    "cross_entropy": _cross_entropy,
    "soft_cross_entropy": _soft_cross_entropy,
}


def _outcome(result: Both) -> tuple[float, np.ndarray]:
    return float(result[0]), result[1]


def _scipy(case: Case, data: Data, threads: int) -> Prepared | None:
    if case.dtype == "bfloat16" or case.device != "cpu" or case.linear or case.option:
        return None
    function = FORMULAS[case.loss]
    rest = () if data.keep is None else (data.keep,)
    return Prepared(lambda: function(data.prediction, data.target, *rest), _outcome)


def _value(case: Case, data: Data, threads: int) -> Prepared | None:
    if case.loss != "huber":
        return None

    def step() -> Any:
        size = np.abs(data.prediction - data.target)
        return np.where(size <= 1, size**2 / 2, size - 0.5).mean()

    return Prepared(step, lambda value: (float(value), np.empty(0)))


def _sklearn(case: Case, data: Data, threads: int) -> Prepared | None:
    """Prepare the loss and gradient of each sample, with their mean as the fits take it."""
    if case.dtype == "bfloat16" or case.device != "cpu" or case.loss not in _SKLEARN:
        return None
    import sklearn._loss as losses

    name, factor, parameters = _SKLEARN[case.loss]
    classes = {"n_classes": case.shape[-1]} if case.rowwise else {}
    loss = getattr(losses, name)(**parameters, **classes)
    weight = _weight(case, data)
    target = data.target
    if case.rowwise:
        target = np.where(target < 0, 0, target).astype(np.float32)
    count = case.shape[0] if weight is None else weight.sum()

    def step() -> Both:
        values, gradient = loss.loss_gradient(
            target, data.prediction, sample_weight=weight, n_threads=threads
        )
        return values.sum(), gradient

    def outcome(result: Both) -> tuple[float, np.ndarray]:
        scale = factor / count
        return float(result[0] * scale), result[1] * np.float32(scale)

    return Prepared(step, outcome)


def _weight(case: Case, data: Data) -> np.ndarray | None:
    """Return the weights of samples, which stand for masks and classes' weights as well."""
    if case.option == CLASS_WEIGHT and data.extra is not None:
        return data.extra[data.target]
    other = data.extra if case.option else data.keep
    return None if other is None else other.astype(np.float32)


# Its name there, how many of it make ours, and its parameters.
_SKLEARN: dict[str, tuple[str, int, dict[str, float]]] = {
    "squared_error": ("HalfSquaredError", 2, {}),
    "huber": ("HuberLoss", 1, {"delta": 1.0}),
    "binary_cross_entropy": ("HalfBinomialLoss", 1, {}),
    "poisson": ("HalfPoissonLoss", 1, {}),
    "cross_entropy": ("HalfMultinomialLoss", 1, {}),
}

SCIPY = "NumPy/SciPy"

PLAIN = (
    Contestant("scikit-learn", "sklearn._loss: loss_gradient per sample, and the sum",
               ("sklearn",), _sklearn),
    Contestant(SCIPY, "whole-array expressions as people write them", ("scipy",), _scipy,
               value=_value),
)  # fmt: skip
