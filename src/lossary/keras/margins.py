"""Keras' hinges: scores against signs, and scores of classes."""

from __future__ import annotations

from typing import Any

from lossary.keras.computing import values
from lossary.keras.contract import broadcast, door, mean, ops, seen


def _signs(y_true: Any) -> Any:
    """Return 0 and 1 as -1 and 1 if the whole batch is 0 or 1; else what came."""
    if (numbers := seen(y_true)) is not None:
        (y,) = numbers
        return 2 * y_true - 1 if ((y == 0) | (y == 1)).all() else y_true
    labels = ops.all(ops.logical_or(y_true == 0, y_true == 1))
    return ops.where(labels, 2 * y_true - 1, y_true)


@door()
def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of lossary's ``hinge``, as :func:`keras.losses.hinge`.

    ``y_true`` is -1 or 1. A batch of nothing but 0 and 1 is converted, as in Keras.

    >>> print(float(hinge([[1.0, -1.0]], [[0.5, 0.5]])[0]))
    1.0
    """
    y_true, y_pred = broadcast(_signs(y_true), y_pred)
    return mean(values("hinge", y_pred, y_true))


@door()
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of lossary's ``squared_hinge``, as :func:`keras.losses.squared_hinge`.

    ``y_true`` is that of :func:`hinge`.

    >>> print(float(squared_hinge([[1.0, -1.0]], [[0.5, 0.5]])[0]))
    1.25
    """
    y_true, y_pred = broadcast(_signs(y_true), y_pred)
    return mean(values("squared_hinge", y_pred, y_true))


@door()
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """Lossary's ``categorical_hinge`` along the last axis, as Keras' of that name.

    ``y_true`` holds one-hot rows. As :func:`keras.losses.categorical_hinge`.

    >>> print(round(float(categorical_hinge([[0.0, 1.0]], [[0.6, 0.4]])[0]), 4))
    1.2
    """
    y_true, y_pred = broadcast(y_true, y_pred)
    return values("categorical_hinge", y_pred, y_true)
