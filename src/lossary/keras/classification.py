"""Keras' losses against classes: binary targets, rows of probabilities, labels.

Without ``from_logits``, ``y_pred`` holds probabilities, which Keras keeps ``epsilon`` (1e-7) away
from 0 and 1; with it the tails are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras.src.backend import set_keras_mask

from lossary.engine.shapes import may_agree
from lossary.errors import ShapeError, warn
from lossary.keras.computing import only, values
from lossary.keras.contract import (
    LabelError,
    axes_of,
    broadcast,
    clipped,
    door,
    epsilon,
    last,
    logits_of,
    mean,
    ops,
    same_shape,
    seen,
    smoothed,
)
from lossary.kinds import first_place

_SPARSE = "sparse_categorical_crossentropy"


@door()
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Lossary's ``kl_divergence_from_probabilities`` along the last axis.

    As :func:`keras.losses.kl_divergence`: both are clipped to [epsilon, 1], in nats.

    >>> print(round(float(kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])[0]), 4))
    0.1438
    """
    y_true, y_pred = broadcast(y_true, y_pred)
    y_true, y_pred = ops.clip(y_true, epsilon(), 1.0), ops.clip(y_pred, epsilon(), 1.0)
    return values("kl_divergence_from_probabilities", y_pred, y_true)


@door()
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Mean of binary cross-entropies along an axis, as :func:`keras.losses.binary_crossentropy`.

    Lossary's ``binary_cross_entropy`` from logits, else ``binary_cross_entropy_from_probability``
    of clipped probabilities. ``y_true`` lies in [0, 1]; ``label_smoothing`` moves it towards 1/2.
    The shapes must agree (ValueError).

    >>> print(round(float(binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4))
    0.6931
    """
    axes_of("binary_crossentropy", axis)
    same_shape("binary_crossentropy", y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 0.5)
    if (
        logits := logits_if_known(y_pred, from_logits, "Sigmoid", "binary_crossentropy")
    ) is not None:
        return mean(values("binary_cross_entropy", logits, y_true), axis)
    found = values("binary_cross_entropy_from_probability", clipped(y_pred), y_true)
    return mean(found, axis)


def logits_if_known(y_pred: Any, from_logits: bool, activation: str, name: str) -> Any:
    """Return logits, given or remembered; None where only probabilities are known."""
    remembered = logits_of(y_pred, activation)
    if remembered is None:
        return y_pred if from_logits else None
    if from_logits:
        warn(
            f"{name}: from_logits=True, but y_pred comes out of a {activation.lower()}; "
            "the loss takes what went into it"
        )
    return remembered


@door()
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Cross-entropy with rows of target masses, as :func:`keras.losses.categorical_crossentropy`.

    Lossary's ``soft_cross_entropy`` from logits, else ``soft_cross_entropy_from_probabilities`` of
    rows divided by their sum and clipped. ``axis`` holds the classes, over which
    ``label_smoothing`` is spread. The shapes must agree (ValueError).

    >>> print(round(float(categorical_crossentropy([[0.0, 1.0]], [[0.75, 0.25]])[0]), 4))
    1.3863
    """
    check_classes("categorical_crossentropy", y_true, y_pred, axis)
    y_true = smoothed_classes(y_true, label_smoothing, axis)
    logits = logits_if_known(y_pred, from_logits, "Softmax", "categorical_crossentropy")
    if logits is not None:
        return values("soft_cross_entropy", last(logits, axis), last(y_true, axis))
    rows = clipped(normalised(y_pred, axis))
    return values("soft_cross_entropy_from_probabilities", last(rows, axis), last(y_true, axis))


def check_classes(name: str, y_true: Any, y_pred: Any, axis: Any) -> None:
    """Raise for an axis or shapes that Keras refuses; warn of a single class."""
    axes_of(name, axis)
    same_shape(name, y_true, y_pred)
    if y_pred.shape[-1] == 1:
        warn(
            f"{name}: one class has probability 1 whatever the model says; for two classes in one "
            "column use binary_crossentropy",
            SyntaxWarning,
        )


def smoothed_classes(y_true: Any, label_smoothing: float, axis: Any) -> Any:
    """Return targets of which ``label_smoothing`` is spread over the classes."""
    if not label_smoothing:
        return y_true
    count = ops.shape(last(y_true, axis))[-1]
    count = count if isinstance(count, int) else ops.cast(count, y_true.dtype)
    return smoothed(y_true, label_smoothing, 1.0 / count)


def normalised(y_pred: Any, axis: Any) -> Any:
    """Return rows divided by their sum."""
    return y_pred / ops.sum(y_pred, axis=axis, keepdims=True)


@door(labels=True)
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """Cross-entropy with labels, as :func:`keras.losses.sparse_categorical_crossentropy`.

    Lossary's ``cross_entropy`` from logits, else ``cross_entropy_from_probabilities`` of rows
    divided by their sum and clipped. ``y_true`` holds labels from 0, without the class axis or with
    length 1 there; rows labelled ``ignore_class`` are 0 and masked. Another label outside raises
    LabelError (a ValueError and IndexError) or, in a compiled graph, gives NaN.

    >>> print(round(float(sparse_categorical_crossentropy([1], [[0.75, 0.25]])[0]), 4))
    1.3863
    """
    axes_of(_SPARSE, axis, several=False)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis=axis)
    _check_labels_fit(y_true, y_pred, axis)
    logits = logits_if_known(y_pred, from_logits, "Softmax", _SPARSE)
    rows = last(y_pred if logits is None else logits, axis)
    keep = None if ignore_class is None else y_true != int(ignore_class)
    label, inside = labels_inside(_SPARSE, y_true, rows.shape[-1], keep)
    if keep is not None:
        rows = ops.where(ops.expand_dims(keep, -1), rows, 1.0)
    if logits is None:
        found = values("cross_entropy_from_probabilities", clipped(normalised(rows, -1)), label)
    else:
        found = values("cross_entropy", rows, label)
    if inside is not None:
        found = only(inside, found)
    if keep is not None:
        found = ops.where(keep, found, 0.0)
        set_keras_mask(found, keep)
    return found


def _check_labels_fit(y_true: Any, y_pred: Any, axis: int) -> None:
    shape = list(y_pred.shape)
    if not shape:
        raise ShapeError(f"{_SPARSE}: y_pred has no axis for the classes")
    del shape[axis]
    if not may_agree(shape, y_true.shape):
        raise ShapeError(
            f"{_SPARSE}: y_true must have the shape of y_pred without the class axis, "
            f"{tuple(shape)}, got {tuple(y_true.shape)}"
        )


def labels_inside(name: str, label: Any, classes: int, keep: Any) -> tuple[Any, Any]:
    """Return labels that can be looked up and, if values cannot be, which of them are real."""
    if (numbers := seen(label) if keep is None else seen(label, keep)) is not None:
        found = numbers[0] if keep is None else np.where(numbers[1], numbers[0], 0)
        if found.size and not (found.min() >= 0 and found.max() < classes):
            bad = found[(found < 0) | (found >= classes)].flat[0]
            raise LabelError(
                f"{name}: y_true must be a label from 0 to {classes - 1}, got {bad} at index "
                f"{first_place(found == bad)}; labels count from 0, and ignore_class= leaves rows "
                "out"
            )
        return (label if keep is None else ops.where(keep, label, 0)), None
    ok = ops.logical_and(label >= 0, label < classes)
    if keep is None:
        return ops.where(ok, label, 0), ok
    label = ops.where(ops.logical_and(ok, keep), label, 0)
    return label, ops.logical_or(ok, ops.logical_not(keep))
