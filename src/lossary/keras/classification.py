"""Keras' losses against classes: binary targets, rows of probabilities, labels.

Without ``from_logits``, ``y_pred`` holds probabilities, which Keras keeps ``epsilon`` (1e-7) away
from 0 and 1; with it the tails are exact.
"""

from __future__ import annotations

from typing import Any

from keras.src.backend import set_keras_mask

from lossary.errors import ShapeError
from lossary.keras.computing import values
from lossary.keras.contract import (
    LabelError,
    broadcast,
    clipped,
    concrete,
    door,
    epsilon,
    last,
    logits_of,
    mean,
    ops,
    same_shape,
    smoothed,
    warn,
)

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "kl_divergence",
    "sparse_categorical_crossentropy",
]


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
    same_shape("binary_crossentropy", y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 0.5)
    if (logits := _logits(y_pred, from_logits, "Sigmoid", "binary_crossentropy")) is not None:
        return mean(values("binary_cross_entropy", logits, y_true), axis)
    found = values("binary_cross_entropy_from_probability", clipped(y_pred), y_true)
    return mean(found, axis)


def _logits(y_pred: Any, from_logits: bool, activation: str, name: str) -> Any:
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
    _check_classes("categorical_crossentropy", y_true, y_pred, axis)
    y_true = smoothed(y_true, label_smoothing, 1.0 / _count(y_true, axis))
    logits = _logits(y_pred, from_logits, "Softmax", "categorical_crossentropy")
    if logits is not None:
        return values("soft_cross_entropy", last(logits, axis), last(y_true, axis))
    rows = clipped(_normalised(y_pred, axis))
    return values("soft_cross_entropy_from_probabilities", last(rows, axis), last(y_true, axis))


def _check_classes(name: str, y_true: Any, y_pred: Any, axis: int) -> None:
    if isinstance(axis, bool):
        raise ValueError(f"{name}: axis must be of type int, got {axis!r}")  # noqa: TRY004  (as Keras)
    same_shape(name, y_true, y_pred)
    if y_pred.shape[-1] == 1:
        warn(
            f"{name}: one class has probability 1 whatever the model says; for two classes in one "
            "column use binary_crossentropy",
            SyntaxWarning,
        )


def _count(x: Any, axis: int) -> Any:
    n = ops.shape(x)[axis]
    return n if isinstance(n, int) else ops.cast(n, x.dtype)


def _normalised(y_pred: Any, axis: int) -> Any:
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
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis=axis)
    _check_labels_fit(y_true, y_pred, axis)
    logits = _logits(y_pred, from_logits, "Softmax", "sparse_categorical_crossentropy")
    rows = last(y_pred if logits is None else logits, axis)
    keep = None if ignore_class is None else y_true != int(ignore_class)
    label, inside = _inside(y_true, rows.shape[-1], keep)
    if keep is not None:
        rows = ops.where(ops.expand_dims(keep, -1), rows, 1.0)
    if logits is None:
        found = values("cross_entropy_from_probabilities", clipped(_normalised(rows, -1)), label)
    else:
        found = values("cross_entropy", rows, label)
    if inside is not None:
        found = ops.where(inside, found, float("nan"))
    if keep is not None:
        found = ops.where(keep, found, 0.0)
        set_keras_mask(found, keep)
    return found


def _check_labels_fit(y_true: Any, y_pred: Any, axis: int) -> None:
    shape = list(y_pred.shape)
    if not shape:
        raise ShapeError("sparse_categorical_crossentropy: y_pred has no axis for the classes")
    del shape[axis]
    if len(shape) != len(y_true.shape) or any(
        n != m and n is not None and m is not None for n, m in zip(shape, y_true.shape, strict=True)
    ):
        raise ShapeError(
            "sparse_categorical_crossentropy: y_true must have the shape of y_pred without the "
            f"class axis, {tuple(shape)}, got {tuple(y_true.shape)}"
        )


def _inside(label: Any, classes: int, keep: Any) -> tuple[Any, Any]:
    """Return labels that can be looked up and, if values cannot be, which of them are real."""
    ok = ops.logical_and(label >= 0, label < classes)
    if keep is not None:
        ok = ops.logical_or(ok, ops.logical_not(keep))
    if concrete(label):
        if not ops.all(ok):
            raise LabelError(
                f"sparse_categorical_crossentropy: y_true must be a label from 0 to {classes - 1}, "
                f"got {int(ops.max(ops.where(ok, -1, label)))}; labels count from 0, and "
                "ignore_class= leaves rows out"
            )
        return (label if keep is None else ops.where(keep, label, 0)), None
    legal = ok if keep is None else ops.logical_and(ok, keep)
    return ops.where(legal, label, 0), ok
