"""Weights for unbalanced classes, from the counts of the whole data set.

They go into ``class_weight=``, or as ``positive_weight=`` into ``binary_cross_entropy``.

>>> import lossary as L
>>> labels = [0, 0, 0, 0, 1]
>>> weights = L.class_weights.inverse_frequency(L.class_weights.counts(labels, classes=2))
>>> float(L.cross_entropy([[2.0, 0.0], [0.0, 0.5]], [0, 1], class_weight=weights).round(6))
0.404647
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossary.errors import DomainError, DtypeError
from lossary.kinds import first_place, plain

__all__ = ["counts", "effective_number", "inverse_frequency", "positive_weight"]


def counts(label: Any, classes: int) -> np.ndarray:
    """Return how often each class occurs.

    Raises DomainError for a label outside 0 to ``classes - 1``.

    >>> counts([0, 2, 2, 0, 0], classes=4)
    array([3, 0, 2, 0])
    """
    label = plain("counts: label", label)
    if label.dtype.kind not in "iub":
        raise DtypeError(
            f"counts: label must be integers, got {label.dtype}; "
            "np.unique(label, return_inverse=True) makes indices of other classes"
        )
    bad = (label < 0) | (label >= classes)
    if bad.any():
        place = first_place(bad)
        raise DomainError(
            f"counts: label must be a class index from 0 to {classes - 1}, "
            f"got {label[place]} at index {place}; labels count from 0"
        )
    return np.bincount(label.ravel(), minlength=classes)


def inverse_frequency(class_counts: Any) -> np.ndarray:
    """Return weights proportional to 1 / count, so that every class weighs the same in total.

    With N examples of C classes the weight is N / (C count), as in scikit-learn's "balanced".

    >>> inverse_frequency([90, 10])
    array([0.55555556, 5.        ])
    """
    number = _positive("inverse_frequency", class_counts)
    return number.sum() / (len(number) * number)


def effective_number(class_counts: Any, *, beta: float = 0.999) -> np.ndarray:
    """Return weights proportional to (1 - beta) / (1 - beta^count), with sum C.

    The effective number of examples of a class saturates at 1 / (1 - beta): beta = 0 weighs all
    classes alike, beta near 1 approaches the inverse frequency. Cui et al. 2019,
    arXiv:1901.05555, eq. 2.

    >>> effective_number([90, 10], beta=0.9)
    array([0.78888525, 1.21111475])
    """
    if not 0 <= beta < 1:
        raise DomainError(f"effective_number: beta must be a number in [0, 1), got {beta}")
    number = _positive("effective_number", class_counts)
    # expm1 and log1p keep 1 - beta^count right for beta near 1.
    effective = np.expm1(number * np.log1p(beta - 1)) / (beta - 1) if beta else np.ones_like(number)
    weight = 1 / effective
    return weight * len(weight) / weight.sum()


def positive_weight(positives: float, negatives: float) -> float:
    """Return negatives / positives, which makes both classes weigh the same.

    >>> positive_weight(positives=10, negatives=90)
    9.0
    """
    number = _positive("positive_weight", [positives, negatives])
    return float(number[1] / number[0])


def _positive(name: str, values: Any) -> np.ndarray:
    number = plain(f"{name}: counts", values).astype(np.float64)
    if number.ndim != 1 or not number.size:
        raise DomainError(f"{name}: counts must be a list with one count per class")
    bad = ~((number > 0) & np.isfinite(number))
    if bad.any():
        place = int(np.argmax(bad))
        raise DomainError(
            f"{name}: counts must be finite numbers above 0, got {number[place]:g} for class "
            f"{place}; a class that never occurs has no weight: drop it from the loss"
        )
    return number
