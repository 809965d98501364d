"""Keras' losses of numbers against numbers, and of vectors by their angle.

In each, ``y_true`` and ``y_pred`` may differ by a last axis of length 1 and broadcast, the result
has the dtype of ``y_pred``, and its shape lacks the last axis: one number per sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossary.keras.computing import values
from lossary.keras.contract import axes_of, broadcast, door, epsilon, last, mean, ops, seen


def _of_error(loss: str, y_true: Any, y_pred: Any, **parameters: Any) -> Any:
    y_true, y_pred = broadcast(y_true, y_pred)
    return mean(values(loss, y_pred, y_true, **parameters))


@door(squeeze=True)
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of lossary's ``squared_error``, as :func:`keras.losses.mean_squared_error`.

    >>> print(float(mean_squared_error([[1.0, 4.0]], [[1.0, 2.0]])[0]))
    2.0
    """
    return _of_error("squared_error", y_true, y_pred)


@door(squeeze=True)
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of lossary's ``absolute_error``, as :func:`keras.losses.mean_absolute_error`.

    >>> print(float(mean_absolute_error([[1.0, 4.0]], [[1.0, 2.0]])[0]))
    1.0
    """
    return _of_error("absolute_error", y_true, y_pred)


@door(squeeze=True)
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of lossary's ``absolute_percentage_error``.

    As :func:`keras.losses.mean_absolute_percentage_error`, in percent. A target smaller than
    Keras' ``epsilon`` counts as that large.

    >>> print(float(mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]])[0]))
    25.0
    """
    y_true, y_pred = broadcast(y_true, y_pred)
    large = ops.abs(y_true) >= epsilon()
    base = ops.where(large, y_true, epsilon())
    # The same error, seen from the target of size epsilon.
    moved = ops.where(large, y_pred, y_pred - y_true + epsilon())
    return mean(values("absolute_percentage_error", moved, base))


@door(squeeze=True)
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of lossary's ``squared_log_error``.

    As :func:`keras.losses.mean_squared_logarithmic_error`: what is below Keras' ``epsilon``,
    negative numbers too, counts as ``epsilon``.

    >>> print(round(float(mean_squared_logarithmic_error([[0.0]], [[1.0]])[0]), 4))
    0.4805
    """
    least = epsilon()
    y_true, y_pred = ops.maximum(y_true, least), ops.maximum(y_pred, least)
    return _of_error("squared_log_error", y_true, y_pred)


@door(squeeze=True)
def huber(y_true: Any, y_pred: Any, delta: Any = 1.0) -> Any:
    """Mean of lossary's ``huber``, as :func:`keras.losses.huber`.

    ``delta``, above 0 and in the unit of the error, is where squared turns into absolute; another
    number raises a ValueError.

    >>> print(float(huber([[0.0, 0.0]], [[1.0, 3.0]], delta=2.0)[0]))
    2.25
    """
    return _of_error("huber", y_true, y_pred, delta=delta)


@door(squeeze=True)
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean of lossary's ``log_cosh``, as :func:`keras.losses.log_cosh`.

    >>> print(round(float(log_cosh([[0.0]], [[1.0]])[0]), 4))
    0.4338
    """
    return _of_error("log_cosh", y_true, y_pred)


@door()
def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean negative log-likelihood of counts, as :func:`keras.losses.poisson`.

    ``y_pred`` is the rate, to which Keras' ``epsilon`` is added inside the logarithm: lossary's
    ``poisson_from_rate`` of the sum, less ``epsilon``.

    >>> print(round(float(poisson([[1.0]], [[2.0]])[0]), 4))
    1.3069
    """
    y_true, y_pred = broadcast(y_true, y_pred)
    return mean(values("poisson_from_rate", y_pred + epsilon(), y_true)) - epsilon()


@door(squeeze=True)
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Lossary's ``cosine_similarity`` along an axis, as :func:`keras.losses.cosine_similarity`.

    Minus the cosine. A vector shorter than Keras' ``epsilon`` counts in proportion to its length,
    and a zero vector has the value 0 with gradient 0.

    >>> print(float(cosine_similarity([[0.0, 1.0]], [[0.0, 2.0]])[0]))
    -1.0
    """
    axes_of("cosine_similarity", axis)
    y_true, y_pred = broadcast(y_true, y_pred)
    y_true, y_pred = last(y_true, axis), last(y_pred, axis)
    cosine = values("cosine_similarity", y_pred, y_true)
    if (numbers := seen(y_true, y_pred)) is not None and all(map(_is_long, numbers)):
        return cosine
    return cosine * _weight(y_true) * _weight(y_pred)


def _is_long(vectors: np.ndarray) -> bool:
    """Whether all are at least epsilon long, which most are by their largest entry alone."""
    return bool(vectors.size) and bool(np.abs(vectors).max(-1).min() >= epsilon())


def _weight(vectors: Any) -> Any:
    """Return 1, or the length in units of epsilon for vectors that are shorter."""
    length = values("euclidean_distance", vectors, ops.zeros_like(vectors))
    return ops.minimum(length / epsilon(), 1.0)
