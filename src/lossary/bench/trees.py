"""A whole training of a booster: rows of features, and labels that two of them explain.

A host trains with its own objective, written in C++, and with ours, which it asks for the
derivatives of all rows once a tree. What differs between the two times is the objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossary.bench.work import Case, Data

FEATURES = 10
TREES = 20
DEPTH = 6
CLASSES = 3
RATE = 0.1


@dataclass(frozen=True)
class BuiltIn:
    """What a host calls a loss: its objective, and what ours is told for the same."""

    objective: str
    settings: tuple[tuple[str, float], ...] = ()


# The same models in both: docs/boosters.md has the bounds.
OBJECTIVES = {
    ("xgboost", "half_squared_error"): BuiltIn("reg:squarederror"),
    ("xgboost", "binary_cross_entropy"): BuiltIn("binary:logistic"),
    ("xgboost", "poisson"): BuiltIn("count:poisson"),
    ("xgboost", "cross_entropy"): BuiltIn("multi:softprob"),
    ("lightgbm", "half_squared_error"): BuiltIn("regression"),
    ("lightgbm", "binary_cross_entropy"): BuiltIn("binary"),
    ("lightgbm", "poisson"): BuiltIn("poisson"),
    ("lightgbm", "cross_entropy"): BuiltIn("multiclass"),
    # CatBoost starts most of its objectives at 0, and can start all of them there.
    ("catboost", "half_squared_error"): BuiltIn("RMSE", (("start", 0.0),)),
    ("catboost", "binary_cross_entropy"): BuiltIn("Logloss", (("start", 0.0),)),
    ("catboost", "poisson"): BuiltIn("Poisson", (("start", 0.0),)),
    ("catboost", "huber"): BuiltIn("Huber:delta=1.0", (("start", 0.0), ("delta", 1.0))),
    ("hist_gradient_boosting", "half_squared_error"): BuiltIn("squared_error"),
    ("hist_gradient_boosting", "binary_cross_entropy"): BuiltIn("log_loss"),
    ("hist_gradient_boosting", "poisson"): BuiltIn("poisson"),
}


def draw(case: Case, seed: int) -> Data:
    """Return features and labels of as many rows as the case has."""
    random = np.random.default_rng([seed, *case.shape])
    features = random.standard_normal((case.shape[0], FEATURES), dtype=np.float32)
    signal = features[:, 0] + features[:, 1] ** 2 / 2 - 0.5
    return Data(features, _LABELS.get(case.loss, _real)(random, signal))


def _real(random: np.random.Generator, signal: np.ndarray) -> np.ndarray:
    return signal + random.standard_normal(signal.shape, dtype=np.float32)


def _yes_or_no(random: np.random.Generator, signal: np.ndarray) -> np.ndarray:
    return (random.random(signal.shape) < 1 / (1 + np.exp(-signal))).astype(np.float32)


def _counts(random: np.random.Generator, signal: np.ndarray) -> np.ndarray:
    return random.poisson(np.exp(signal / 2)).astype(np.float32)


def _classes(random: np.random.Generator, signal: np.ndarray) -> np.ndarray:
    return np.digitize(_real(random, signal), (-0.5, 1.0)).astype(np.float32)


_LABELS = {
    "binary_cross_entropy": _yes_or_no,
    "poisson": _counts,
    "cross_entropy": _classes,
}


def outcome(data: Data, margin: Any) -> tuple[float, np.ndarray]:
    """Return what is compared: how widely the margins spread, and their mean by deciles.

    Splits that are all but equally good fall either way where derivatives differ in the last digit
    of float32, and then single rows go elsewhere; what a model says of many rows stays.
    """
    first = np.asarray(margin, np.float64).reshape(len(data.target), -1)[:, 0]
    first = first - first.mean()  # one host's margins include the start, and another's do not
    order = np.argsort(data.prediction[:, 0])
    return float(first.std()), np.array([part.mean() for part in np.array_split(first[order], 10)])
